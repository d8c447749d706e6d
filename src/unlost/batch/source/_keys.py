"""
What an input is called: by it the journal knows the input again, wherever in the source it stands next time.

Without a key field it is a hash of the canonical input (RFC 8785 in spirit, Python's number formatting in fact):
object members sorted, no white space, so that their order and layout do not matter, while ``1``, ``1.0``, ``true`` and
``"1"`` differ. A text line is hashed as the JSON string that it would be. The hash is not secret: who knows the
possible inputs can tell which one it was.
"""

from __future__ import annotations

import json
from typing import Any

from unlost.batch.source._errors import InputError
from unlost.batch.source._records import Format, Record, fingerprint_of
from unlost.errors import UsageError

MISSING = object()
"""What ``find`` returns where there is no such field."""

_MAX_LENGTH = 1000

# no check for cycles: what was parsed from JSON has none
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


def key_of(record: Record, field: str | None = None) -> str:
    """
    Return the key of an input; equal inputs get equal keys.

    Args:
        record: The input; one with an ``error`` gets ``raw_key``, whatever ``field`` is; of one that has a ``key``
            it is that, unless there is a ``field``.
        field: Where the key stands in a JSON object; ``a.b`` is the member ``a.b`` or else ``b`` of the member ``a``.

    Returns:
        The field's value, a string as it is and a number or boolean as JSON writes it; without ``field`` 20 hex digits.

    Raises:
        InputError: The field is missing, null, empty, an object or an array, is longer than 1,000 characters or
            cannot be written as UTF-8; or the input is nested too deeply. Its key is then ``raw_key``.
    """
    if record.error is not None:
        return raw_key(record)
    if field is not None:
        return _field_key(record, field)
    if record.key is not None:
        return record.key
    try:
        return fingerprint_of(_CANONICAL(record.value).encode())
    except RecursionError as too_deep:
        raise InputError(record.line, "is nested too deeply to be hashed") from too_deep.with_traceback(None)


def raw_key(record: Record) -> str:
    """Return the key of what is no input: its own, or 20 hex digits that stand for the record's bytes."""
    return fingerprint_of(record.raw) if record.key is None else record.key


def check_field(field: str | None, format: Format) -> None:  # noqa: A002  # the user's word
    """Raise ``UsageError`` where a key field is asked of text, which has no fields."""
    if field is not None and format in ("lines", "null"):
        raise UsageError(
            f"--key {field} needs inputs with fields, but these are text{' lines' if format == 'lines' else ''}. "
            "Add --format jsonl if each line is a JSON object; leave --key out if not."
        )


def _field_key(record: Record, field: str) -> str:
    value = find(record.value, field)
    if value is MISSING:
        raise InputError(record.line, f"has no field {field!r} to take its key from; {_fields(record.value)}")
    if value is None or value == "" or isinstance(value, dict | list):
        raise InputError(record.line, f"has {_shape(value)} in its key field {field!r}; expected a string or a number")
    key = value if isinstance(value, str) else _CANONICAL(value)
    if len(key) > _MAX_LENGTH:
        raise InputError(record.line, f"has {len(key):,} characters in its key field {field!r}; 1,000 is the most")
    if not key.isascii() and any("\ud800" <= character <= "\udfff" for character in key):
        raise InputError(record.line, f"has half a surrogate pair in its key field {field!r}, which UTF-8 cannot write")
    return key


def find(value: Any, field: str) -> Any:  # whatever JSON can hold, or MISSING
    """Return the field of an input: looked up as one name first, then part by part, since names may hold dots."""
    if not isinstance(value, dict):
        return MISSING
    if field in value:
        return value[field]
    first, dot, rest = field.partition(".")
    return find(value.get(first), rest) if dot else MISSING


def _shape(value: object) -> str:
    """Name the type in JSON's words, never the value: it may be a secret."""
    match value:
        case None:
            return "null"
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return "a string" if value else "an empty string"
        case bool():
            return "a boolean"
        case _:
            return "a number"


def _fields(value: object) -> str:
    if not isinstance(value, dict):
        return f"it is {_shape(value)}, no object"
    shown = ", ".join(repr(name) for name in list(value)[:10])
    more = f" and {len(value) - 10} more" if len(value) > 10 else ""
    return f"it has {shown}{more}" if value else "it is an empty object"
