"""What stands behind a group: its trace, why it is one group, and what to type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from unlost.observe import Line, why
from unlost.report._report import ErrorGroup
from unlost.report.html._room import fitting
from unlost.report.html._text import brief, safe, size
from unlost.report.traceback import trace_of

_TAGS: Final = {"own": "b", "error": "strong", "folded": "i", "link": "em", "branch": "em"}
_COMMAND: Final = 400  # bytes of one, as those below
_LONG: Final = 8000  # more than any line has
_SHORT: Final = 60


class Detail(NamedTuple):
    """
    The parts of a detail that may be long.

    Attributes:
        trace: Its lines.
        why: Lines, a reason each.
    """

    trace: tuple[Line, ...]
    why: tuple[str, ...]

    @property
    def trace_need(self) -> int:
        """How many bytes the whole trace takes."""
        return sum(map(size, _trace(self.trace, _LONG)))

    @property
    def why_need(self) -> int:
        """How many bytes all reasons take."""
        return sum(map(size, _reasons(self.why, _LONG)))


def detail_of(group: ErrorGroup) -> Detail:
    """Return what there is to show of a group, however long it is."""
    reasons = why(group.error) if group.error is not None else ()
    return Detail(tuple(trace_of(group.error, group.origin, group.ended)), tuple(reasons))


def detail(group: ErrorGroup, parts: Detail, trace_room: int, why_room: int) -> Iterator[str]:
    """Yield the inside of a group's detail, its long parts within so many bytes each."""
    for what, command in (("Run just these again:", group.command), ("See each of them:", group.look)):
        if command:
            yield f"<p>{what} <code>{brief(command, _COMMAND)}</code></p>\n"
    if group.spent:
        yield f"<p>Spent: {brief(group.spent, _COMMAND)}</p>\n"
    if parts.trace:
        shown = "".join(_within(_trace(parts.trace, _LONG), _trace(parts.trace, _part(trace_room)), trace_room))
        yield f"<pre>{shown}</pre>\n"
    if parts.why:
        yield "<details><summary>Why grouped</summary><ul>"
        yield from _within(_reasons(parts.why, _LONG), _reasons(parts.why, _part(why_room)), why_room, "li")
        yield "</ul></details>\n"


def _part(room: int) -> int:
    return max(room // 3, _SHORT)


def _trace(lines: Sequence[Line], most: int) -> list[str]:
    return [_line(line, most) for line in lines]


def _line(line: Line, most: int) -> str:
    tag = _TAGS.get(line.role)
    tree, text = safe(line.tree), brief(line.text.rstrip(), most)
    return f"{tree}<{tag}>{text}</{tag}>\n" if tag else f"{tree}{text}".rstrip() + "\n"


def _reasons(reasons: Sequence[str], most: int) -> list[str]:
    return [f"<li>{brief(reason, most)}</li>" for reason in reasons]


def _within(lines: Sequence[str], shorter: Sequence[str], room: int, tag: str = "i") -> Iterator[str]:
    """Yield the lines if they fit into the room, else as many of the shorter ones as do, and how many are missing."""
    head, tail = (lines, ()) if sum(map(size, lines)) <= room else fitting(shorter, room)
    yield from head
    if missing := len(lines) - len(head) - len(tail):
        yield f"<{tag}>… {missing:,} lines left out</{tag}>\n"
    yield from tail
