"""Dead letters as a source: each line is what ``unlost export RUN --dead`` writes, and its item the input in there."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from unlost.batch.source._errors import InputError
from unlost.batch.source._records import Format, Record, parse

VERSION = "dead-letter/1"

_Letter = Mapping[
    str, Any
]  # Any: a line of JSON that somebody may have edited; each member is checked where it is used


def is_letter(value: object) -> bool:
    """Tell whether a line of JSON is a dead letter."""
    return isinstance(value, dict) and value.get("unlost") == VERSION


def parse_letter(line: int, raw: bytes, _format: Format = "dead", *, terminated: bool = True) -> Record:
    """
    Read one dead letter: the record is that of its input, and has its key.

    What the journal keeps of it is JSON, also where the input was text: the run that it is from is not needed again.
    What never was an item (kind ``input``, not started) or holds no input is none now.
    """
    outer = parse(line, raw, "jsonl", terminated=terminated)
    if outer.error is not None:
        return outer
    letter = outer.value
    fault = _fault(letter)
    key = letter["key"] if is_letter(letter) and _is_key(letter.get("key")) else None
    if fault is not None:
        return Record(line, raw, None, InputError(line, fault), key)
    record = _inner(line, letter)
    record.key = key
    return record


def _fault(letter: object) -> str | None:
    if not isinstance(letter, dict) or "unlost" not in letter:
        return "is no dead letter, and the first line is one; a source is of one kind: put the two into two files"
    if not is_letter(letter):
        return f"is not a {VERSION}; write: unlost export RUN --dead"
    if not _is_key(letter.get("key")):
        return "is a dead letter without a key"
    if letter.get("kind") == "input" and not letter.get("attempts"):
        return f"is the dead letter of what was no input: {_message(letter)}"
    if not isinstance(letter.get("input"), str) and not isinstance(letter.get("input_base64"), str):
        return "is a dead letter without its input, which its run did not keep (--inputs hash)"
    if letter.get("format") not in ("lines", "null", "jsonl", "csv", "dead"):
        return "is a dead letter whose input has an unknown format; expected lines, null or jsonl"
    return None


def _is_key(key: object) -> bool:
    return isinstance(key, str) and 0 < len(key) <= 2000 and not any("\ud800" <= one <= "\udfff" for one in key)


def _message(letter: _Letter) -> str:
    error = letter.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return message[:300] if isinstance(message, str) else "correct it in the file that it is from"


def _inner(line: int, letter: _Letter) -> Record:
    try:
        text = letter.get("input")
        original = text.encode() if isinstance(text, str) else base64.b64decode(letter["input_base64"], validate=True)
    except ValueError as refusal:  # half a surrogate pair, or not base64
        return Record(line, b"", None, InputError(line, f"is a dead letter whose input cannot be read: {refusal}"))
    record = parse(line, original, letter["format"])
    if record.error is None and letter["format"] in ("lines", "null"):
        record.raw = json.dumps(record.value, ensure_ascii=False).encode()
    return record
