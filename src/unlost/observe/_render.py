"""A record as lines: a traceback with the user's code in front, and everything that is attached to the error."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

from unlost.observe._headline import where
from unlost.observe._place import module_name
from unlost.observe._schema import ErrorRecord, FrameRecord
from unlost.observe._text import printable

Role: TypeAlias = Literal["head", "own", "folded", "error", "note", "fact", "attempt", "link", "branch", "blank"]

_UNCLASSIFIED = "unknown"  # the kind of what was only watched: an error tells its kind while it is there
_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"


class Line(NamedTuple):
    """
    One line of a traceback; a medium may colour it by its role.

    Attributes:
        role: ``own`` is a frame of the user's, ``folded`` are those of others, ``error`` is the type and message,
            ``fact`` what is known of it besides, ``link`` says how an error led to the next, ``branch`` begins one
            that stands beside others; ``head`` and ``blank`` say nothing.
        text: With its indent, without what would drive a terminal.
        tree: What stands before it, where it is in a branch.
    """

    role: Role
    text: str
    tree: str = ""

    def __str__(self) -> str:
        return (self.tree + self.text).rstrip()


def render(record: ErrorRecord) -> str:
    """
    Return the record as plain text of many lines, without a final newline.

    It reads like Python's own traceback, causes first. Frames outside the user's code are folded into one line, group
    members stand as a tree, and whatever the record had to leave out is said.
    """
    return "\n".join(map(str, lines_of(record)))


def lines_of(record: ErrorRecord) -> Iterator[Line]:
    """Yield what ``render`` joins, line by line."""
    for line in _error(record):
        for text in printable(line.text).split("\n"):
            yield Line(line.role, text, line.tree)


def _error(record: ErrorRecord) -> Iterator[Line]:
    yield from _beneath(record)
    if record["frames"]:
        yield Line("head", "Traceback (innermost last):")
        yield from _frames(record["frames"])
    yield Line("error", _summary(record))
    if record.get("seen"):
        yield Line("fact", "  (recorded in full elsewhere in this tree)")
        return
    yield from (Line("note", note) for note in record.get("notes", []))
    yield from _left_out(record, "notes", "note")
    yield from _facts(record)
    yield from _attempts(record)
    yield from _branches(record, "errors", "also raised")
    yield from _branches(record, "members", "member")


def _beneath(record: ErrorRecord) -> Iterator[Line]:
    for slot, sentence in (("cause", _CAUSE), ("context", _CONTEXT)):
        beneath = record.get("cause") if slot == "cause" else record.get("context")
        if beneath is not None:
            yield from _error(beneath)
            if skipped := beneath.get("cut", {}).get("between", 0):
                yield from (_BLANK, Line("folded", f"… {_plural(skipped, 'error')} between these two left out"))
            yield from _linked(sentence)
        elif slot in record.get("cut", {}):
            yield Line("folded", f"… the {slot} is left out, for the size of this record")
            yield from _linked(sentence)


def _linked(sentence: str) -> Iterator[Line]:
    yield from (_BLANK, Line("link", sentence), _BLANK)


def _frames(frames: list[FrameRecord]) -> Iterator[Line]:
    folded: list[FrameRecord] = []
    for frame in frames:
        if not frame["app"]:
            folded.append(frame)
        else:
            yield from _folded(folded)
            folded = []
            yield Line("own", f'  File "{short_path(frame["file"])}", line {frame["line"]}, in {frame["function"]}')
            if "repeats" in frame:
                yield Line("folded", f"  … repeated {_plural(frame['repeats'], 'more time')}")
        if "skipped" in frame:
            yield from _folded(folded)
            folded = []
            yield Line("folded", f"  … {_plural(frame['skipped'], 'frame')} left out")
    yield from _folded(folded)


def _folded(frames: list[FrameRecord]) -> Iterator[Line]:
    if frames:
        count = sum(1 + frame.get("repeats", 0) for frame in frames)
        libraries = dict.fromkeys(module_name(frame).partition(".")[0] for frame in frames)
        yield Line("folded", f"  … {_plural(count, 'frame')} in {', '.join(libraries)}")


def _summary(record: ErrorRecord) -> str:
    module, qualname = record["type"]["module"], record["type"]["qualname"]
    name = qualname if module in ("builtins", "__main__", "") else f"{module}.{qualname}"
    return f"{name}: {record['message']}" if record["message"] else name


def _facts(record: ErrorRecord) -> Iterator[Line]:
    facts = [f"{name}={value}" for name, value in record.get("attributes", {}).items()]
    if record["kind"] != _UNCLASSIFIED:
        facts.insert(0, record["kind"])
    if facts:
        yield Line("fact", f"  [{', '.join(facts)}]")


def _attempts(record: ErrorRecord) -> Iterator[Line]:
    earlier = record.get("attempts", [])
    if not earlier:
        yield from _left_out(record, "attempts", "earlier attempt")
        return
    yield Line("link", f"Earlier attempts ({len(earlier) + record.get('cut', {}).get('attempts', 0)}):")
    for number, attempt in enumerate(earlier, 1):
        spot = where(attempt)
        first_line = _summary(attempt).partition("\n")[0]
        yield Line("attempt", f"  {number}. {first_line}" + (f"    {spot}" if spot else ""))
    yield from _left_out(record, "attempts", "earlier attempt")


def _branches(record: ErrorRecord, slot: Literal["errors", "members"], what: str) -> Iterator[Line]:
    errors = record.get("errors", []) if slot == "errors" else record.get("members", [])
    count = len(errors) + record.get("cut", {}).get(slot, 0)
    for number, error in enumerate(errors, 1):
        yield Line("branch", f"{what} {number} of {count:,}", f"  {'└' if number == count else '├'}─ ")
        yield from _indented(_error(error), "     " if number == count else "  │  ")
    yield from _left_out(record, slot, "error")


def _indented(lines: Iterable[Line], prefix: str) -> Iterator[Line]:
    for line in lines:
        yield Line(line.role, line.text, prefix + line.tree)


def _left_out(record: ErrorRecord, slot: str, noun: str) -> Iterator[Line]:
    if count := record.get("cut", {}).get(slot, 0):
        yield Line("folded", f"  … {_plural(count, f'more {noun}')} left out, for the size of this record")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def short_path(file: str) -> str:
    """Return the path relative to the current directory where it lies under it, else as it is."""
    try:
        here = os.getcwd() + os.sep
    except OSError:  # it is gone
        return file
    return file[len(here) :] if file.startswith(here) else file


_BLANK = Line("blank", "")
