"""A record as text: a traceback with the user's code in front, and everything that is attached to the error."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Literal

from unlost.observe._headline import where
from unlost.observe._place import module_name
from unlost.observe._schema import ErrorRecord, FrameRecord
from unlost.observe._text import printable

_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"


def render(record: ErrorRecord) -> str:
    """
    Return the record as plain text of many lines, without a final newline.

    It reads like Python's own traceback, causes first. Frames outside the user's code are folded into one line, group
    members stand as a tree, and whatever the record had to leave out is said.
    """
    return printable("\n".join(_error(record)))


def _error(record: ErrorRecord) -> Iterator[str]:
    yield from _beneath(record)
    if record["frames"]:
        yield "Traceback (innermost last):"
        yield from _frames(record["frames"])
    yield _summary(record)
    if record.get("seen"):
        yield "  (recorded in full elsewhere in this tree)"
        return
    for note in record.get("notes", []):
        yield from note.split("\n")
    yield from _left_out(record, "notes", "note")
    yield from _facts(record)
    yield from _attempts(record)
    yield from _branches(record, "errors", "also raised")
    yield from _branches(record, "members", "member")


def _beneath(record: ErrorRecord) -> Iterator[str]:
    for slot, sentence in (("cause", _CAUSE), ("context", _CONTEXT)):
        beneath = record.get("cause") if slot == "cause" else record.get("context")
        if beneath is not None:
            yield from _error(beneath)
            if skipped := beneath.get("cut", {}).get("between", 0):
                yield f"\n… {_plural(skipped, 'error')} between these two left out"
            yield from ("", sentence, "")
        elif slot in record.get("cut", {}):
            yield from (f"… the {slot} is left out, for the size of this record", "", sentence, "")


def _frames(frames: list[FrameRecord]) -> Iterator[str]:
    folded: list[FrameRecord] = []
    for frame in frames:
        if not frame["app"]:
            folded.append(frame)
        else:
            yield from _folded(folded)
            folded = []
            yield f'  File "{short_path(frame["file"])}", line {frame["line"]}, in {frame["function"]}'
            if "repeats" in frame:
                yield f"  … repeated {_plural(frame['repeats'], 'more time')}"
        if "skipped" in frame:
            yield from _folded(folded)
            folded = []
            yield f"  … {_plural(frame['skipped'], 'frame')} left out"
    yield from _folded(folded)


def _folded(frames: list[FrameRecord]) -> Iterator[str]:
    if frames:
        count = sum(1 + frame.get("repeats", 0) for frame in frames)
        libraries = dict.fromkeys(module_name(frame).partition(".")[0] for frame in frames)
        yield f"  … {_plural(count, 'frame')} in {', '.join(libraries)}"


def _summary(record: ErrorRecord) -> str:
    module, qualname = record["type"]["module"], record["type"]["qualname"]
    name = qualname if module in ("builtins", "__main__", "") else f"{module}.{qualname}"
    return f"{name}: {record['message']}" if record["message"] else name


def _facts(record: ErrorRecord) -> Iterator[str]:
    facts = [f"{name}={value}" for name, value in record.get("attributes", {}).items()]
    yield f"  [{', '.join([record['kind'], *facts])}]"


def _attempts(record: ErrorRecord) -> Iterator[str]:
    earlier = record.get("attempts", [])
    if not earlier:
        yield from _left_out(record, "attempts", "earlier attempt")
        return
    yield f"Earlier attempts ({len(earlier) + record.get('cut', {}).get('attempts', 0)}):"
    for number, attempt in enumerate(earlier, 1):
        spot = where(attempt)
        first_line = _summary(attempt).partition("\n")[0]
        yield f"  {number}. {first_line}" + (f"    {spot}" if spot else "")
    yield from _left_out(record, "attempts", "earlier attempt")


def _branches(record: ErrorRecord, slot: Literal["errors", "members"], what: str) -> Iterator[str]:
    errors = record.get("errors", []) if slot == "errors" else record.get("members", [])
    count = len(errors) + record.get("cut", {}).get(slot, 0)
    for number, error in enumerate(errors, 1):
        yield f"  {'└' if number == count else '├'}─ {what} {number} of {count:,}"
        yield from _indented(_error(error), "     " if number == count else "  │  ")
    yield from _left_out(record, slot, "error")


def _indented(lines: Iterable[str], prefix: str) -> Iterator[str]:
    for line in lines:
        for part in line.split("\n"):
            yield (prefix + part).rstrip()


def _left_out(record: ErrorRecord, slot: str, noun: str) -> Iterator[str]:
    if count := record.get("cut", {}).get(slot, 0):
        yield f"  … {_plural(count, f'more {noun}')} left out, for the size of this record"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def short_path(file: str) -> str:
    """Return the path relative to the current directory where it lies under it, else as it is."""
    here = os.getcwd() + os.sep
    return file[len(here) :] if file.startswith(here) else file
