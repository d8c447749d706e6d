"""
From the bytes of one line to the value that the job is given, or to the one failure that it is.

Lines end with LF or CRLF. Text must be UTF-8. JSON is read as the standard library reads it (of equal names in one
object the last one wins), except that ``NaN`` and ``Infinity``, which are not JSON, are refused. In a text line a
carriage return or a NUL byte is refused as well: such a file has the line ends of an old Macintosh or is UTF-16, and
its lines are not what they look like. JSONL can hold both, escaped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias

from unlost.batch.source._errors import InputError

Format: TypeAlias = Literal["lines", "jsonl"]


@dataclass(slots=True)
class Record:
    """
    One input, as read.

    Attributes:
        line: The line it stands on, counted from 1, blank lines included.
        raw: Its bytes as they stand there, without line end and byte order mark.
        value: What the job gets: the text of a text line, the parsed value of a JSON one; None where ``error`` is set.
        error: Why there is no value.
    """

    line: int
    raw: bytes
    value: Any  # whatever JSON can hold
    error: InputError | None = None


def parse(line: int, raw: bytes, format: Format, *, terminated: bool = True) -> Record:  # noqa: A002  # the user's word
    """
    Read one line; what is wrong with it becomes the record's ``error``, nothing is raised.

    Args:
        line: Its number, counted from 1.
        raw: Its bytes, without line end.
        format: How to read them.
        terminated: Whether a line end followed; a last line without one that is no JSON was probably cut off.
    """
    read = _json_value if format == "jsonl" else _text_value
    try:
        return Record(line, raw, read(raw))
    except (ValueError, RecursionError) as refusal:
        error = InputError(line, _what(refusal, terminated))
        # without the traceback, which would hold the whole line once more for as long as the error lives
        error.__cause__ = refusal.with_traceback(None)
        return Record(line, raw, None, error)


def _json_value(raw: bytes) -> Any:  # whatever JSON can hold
    return _DECODER.decode(raw.decode())


def _text_value(raw: bytes) -> str:
    if b"\0" in raw:
        raise ValueError("holds a NUL byte; text lines are UTF-8 without it (is the file UTF-16? see iconv)")
    if b"\r" in raw:
        column = raw.index(b"\r") + 1
        raise ValueError(f"holds a carriage return at byte {column}; lines end with LF or CRLF (see tr '\\r' '\\n')")
    return raw.decode()


def _no_constant(literal: str) -> NoReturn:
    raise ValueError(f"holds {literal}, which is not JSON; write null or a string")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)  # built once: json.loads would build one for each line


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
