"""
From the bytes of one record to the value that the job is given, or to the one failure that it is.

Lines end with LF or CRLF. Text must be UTF-8. JSON is read as the standard library reads it (of equal names in one
object the last one wins), except that ``NaN`` and ``Infinity``, which are not JSON, are refused. In a text line a
carriage return or a NUL byte is refused as well: such a file has the line ends of an old Macintosh or is UTF-16, and
its lines are not what they look like. JSONL can hold both, escaped; text that ends with NUL can hold line ends.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias

from unlost.batch.source._errors import InputError

Format: TypeAlias = Literal["lines", "jsonl", "csv", "null", "dead"]

EXCERPT = 1000
"""Bytes that are kept of a record that is too long."""


@dataclass(slots=True)
class Record:
    """
    One input, as read.

    Attributes:
        line: The line it begins on, counted from 1, blank lines included; of NUL-terminated text, which record it is.
        raw: What the journal keeps of it: its bytes as they stand there, without line end and byte order mark; where
            it is a row of a table or a dead letter, the JSON of ``value``. Of what is too long, the first bytes.
        value: What the job gets: the text of a text line, the parsed value of a JSON one; None where ``error`` is set.
        error: Why there is no value.
        key: What names it, where the source says so.
        start: How many bytes stand before it in the source.
        size: How many bytes it has there.
    """

    line: int
    raw: bytes
    value: Any  # whatever JSON can hold
    error: InputError | None = None
    key: str | None = None
    start: int = 0
    size: int = 0


def parse(line: int, raw: bytes, format: Format, *, terminated: bool = True) -> Record:  # noqa: A002
    """
    Read one record as it stands in a file of lines or in the journal; nothing is raised.

    Args:
        line: Its number, counted from 1.
        raw: Its bytes, without line end.
        format: How to read them; of tables and dead letters the journal holds JSON.
        terminated: Whether a line end followed; a last line without one that is no JSON was probably cut off.

    Returns:
        The record; what is wrong with it is its ``error``.
    """
    try:
        return Record(line, raw, _VALUE_OF[format](raw))
    except (ValueError, RecursionError) as refusal:
        return refused(line, raw, refusal, terminated=terminated)


def refused(line: int, raw: bytes, refusal: ValueError | RecursionError, *, terminated: bool = True) -> Record:
    """Return the record of what cannot be read, and why; ``terminated`` as in ``parse``."""
    error = InputError(line, _what(refusal, terminated))
    # without the traceback, which would hold the whole line once more for as long as the error lives
    error.__cause__ = refusal.with_traceback(None)
    return Record(line, raw, None, error)


def kept_as(format: Format) -> Literal["lines", "null", "jsonl"]:  # noqa: A002  # the user's word
    """Return how the journal's records of a run are read: of tables and dead letters it keeps JSON."""
    return format if format in ("lines", "null") else "jsonl"


def fingerprint_of(raw: bytes) -> str:
    """Return 20 hex digits that stand for the bytes."""
    return hashlib.blake2b(raw, digest_size=DIGEST_SIZE).hexdigest()


DIGEST_SIZE = 10  # bytes: two of a million different inputs get one key with a chance of 4e-13


def _json_value(raw: bytes) -> Any:  # whatever JSON can hold
    return _DECODER.decode(raw.decode())


def _text_value(raw: bytes) -> str:
    if b"\0" in raw:
        raise ValueError(
            "holds a NUL byte; text lines are UTF-8 without it (is the file UTF-16? see iconv; "
            "do its records end with NUL, as those of find -print0? say -0)"
        )
    if b"\r" in raw:
        column = raw.index(b"\r") + 1
        raise ValueError(f"holds a carriage return at byte {column}; lines end with LF or CRLF (see tr '\\r' '\\n')")
    return raw.decode()


def _no_constant(literal: str) -> NoReturn:
    raise ValueError(f"holds {literal}, which is not JSON; write null or a string")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)  # built once: json.loads would build one for each line
_VALUE_OF: Mapping[Format, Callable[[bytes], Any]] = {  # Any: whatever JSON can hold
    "lines": _text_value, "null": bytes.decode, "jsonl": _json_value, "csv": _json_value, "dead": _json_value,
}  # fmt: skip


def _what(refusal: ValueError | RecursionError, terminated: bool) -> str:
    """Name the fault and its place; never more of the line than one character, for it may hold secrets."""
    match refusal:
        case UnicodeDecodeError(object=raw, start=start):
            return f"is not UTF-8: byte 0x{raw[start]:02x} at byte {start + 1}; write the input in UTF-8 (see iconv)"
        case json.JSONDecodeError(msg=msg, pos=pos, doc=doc):
            found = f"found {doc[pos]!r}" if pos < len(doc) else "the line ends there"
            fault = f"{msg} at column {pos + 1}, {found}"
            if not terminated:
                return f"is cut off: the last line, without a line end, is not JSON: {fault}"
            return f"is not JSON: {fault}"
        case RecursionError():
            return "is nested too deeply to be read"
        case _ if "integer string conversion" in str(refusal):
            return "holds an integer of too many digits; write it as a string"
        case _:
            return str(refusal)
