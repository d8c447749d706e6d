"""What a job returned, as the JSON that is journaled and written to the results file."""

from __future__ import annotations

import json
from collections.abc import Collection

from unlost.batch._plain import Unwritable, plain
from unlost.errors import Kind, UnlostError, extend_kinds

MOST = 64 << 20
"""Bytes of JSON that a value may have: one that the journal refused would end the run, not the item."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_SHOWN = 2000  # characters of the value's repr that its failure keeps
_NAMES = frozenset({str})
_SCALARS = frozenset({str, int, float, bool, type(None)})


class OutputError(UnlostError):
    """
    A job returned what JSON cannot hold: the failure of that item, of kind ``output``, never retried.

    Attributes:
        shown: The value's ``repr``, cut.
    """

    def __init__(self, why: str, shown: str) -> None:
        super().__init__(why, shown)
        self.shown = shown

    def __str__(self) -> str:
        return f"the job's value cannot be written as JSON: {self.args[0]}. The value was {self.shown}"


extend_kinds({OutputError: Kind.OUTPUT})


def encode(value: object) -> str:
    """
    Return the value as one line of JSON, at most ``MOST`` bytes of UTF-8.

    What ``json.dumps`` knows is written as it does that: a tuple becomes a list, a name that is a number a string.
    Everything else goes by the rules of ``docs/formats.md``: dataclasses, models, enums, times, ``NaN``.

    Raises:
        OutputError: JSON cannot hold it: no rule covers it, it holds half a surrogate pair, it is nested too deeply,
            it is too large, or its own code failed, with what is the cause then.
    """
    try:
        text = as_json(value)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as refusal:
        raise OutputError(_why(refusal), _repr(value)) from refusal.__cause__
    except (Exception, SystemExit, KeyboardInterrupt) as user_error:  # of the value's own code: it must not end the run
        raise OutputError(f"it raised {type(user_error).__name__} when it was looked at", _repr(value)) from user_error
    if size > MOST:
        why = f"it is {size:,} bytes of JSON, and {MOST:,} are the most. Write it to a file and return its name"
        raise OutputError(why, _repr(value))
    return text


def as_json(value: object) -> str:
    """
    Return the value as one line of JSON of any length.

    Raises:
        ValueError: JSON cannot hold it.
        RecursionError: It is nested too deeply.
    """
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError):  # what it does not know, and NaN; what else there is wrong is found again
        return _ENCODER.encode(plain(value))
    return text if _names_are_strings(value) else _ENCODER.encode(plain(value))


def _names_are_strings(value: object) -> bool:
    """Tell whether the encoder changed no name: of ``1`` and ``"1"`` in one dict it would write both."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if not (_NAMES.issuperset(map(type, one)) or all(isinstance(name, str) for name in one)):
                return False
            members: Collection[object] = one.values()
        elif isinstance(one, list | tuple):
            members = one
        else:
            continue
        if not _SCALARS.issuperset(map(type, members)):
            pending.extend(members)
    return True


def _why(refusal: TypeError | ValueError | RecursionError) -> str:
    match refusal:
        case Unwritable():
            return str(refusal)
        case RecursionError():
            return "it is nested too deeply"
        case UnicodeEncodeError():
            return f"it holds half a surrogate pair, which UTF-8 cannot write ({refusal.reason})"
        case _:
            return str(refusal)


def _repr(value: object) -> str:
    try:
        shown = repr(value)
    except (Exception, SystemExit, KeyboardInterrupt) as repr_error:  # named below  # noqa: BLE001
        return f"a {type(value).__name__} whose repr raised {type(repr_error).__name__}"
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}... [{len(shown) - _SHOWN:,} more characters]"
