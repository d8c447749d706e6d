"""The size of the file is bounded, whatever the errors hold: how much of it each of them gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from unlost.report.html._text import size

BYTES: Final = 590_000

_WHOLE: Final = 8000  # bytes; more than a line has
_LEAST: Final = 60


class Long:
    """
    Lines that may be too long for the room that there is; false where there are none.

    Args:
        tag: Of the element that says how many lines are missing.
        lines: Each is called with how many bytes its text may take, and returns its HTML.
    """

    def __init__(self, tag: str, lines: Sequence[Callable[[int], str]]) -> None:
        self._tag = tag
        self._lines = lines
        self._whole = [line(_WHOLE) for line in lines]
        self.need = sum(map(size, self._whole))

    def __bool__(self) -> bool:
        return bool(self._lines)

    def within(self, room: int) -> Sequence[str]:
        """Return all lines if they fit into the room; else as many shorter ones as do, and how many are missing."""
        if self.need <= room:
            return self._whole
        shorter = [line(max(room // 3, _LEAST)) for line in self._lines] if room else self._whole
        head, tail = fitting(shorter, room)
        missing = len(shorter) - len(head) - len(tail)
        return *head, *([f"<{self._tag}>… {missing:,} lines left out</{self._tag}>\n"] if missing else []), *tail


def fair(needs: Sequence[int], room: int) -> int:
    """
    Return how much each may have at most, so that all together they fit into the room.

    Who needs less than an equal share leaves the rest of it to the others (max-min fairness).
    """
    left, last = max(room, 0), 0
    for place, need in enumerate(sorted(needs)):
        share = left // (len(needs) - place)
        if need > share:
            return share
        left, last = left - need, need
    return last


def fitting(lines: Sequence[str], room: int) -> tuple[Sequence[str], Sequence[str]]:
    """
    Return the lines from the beginning and those from the end that fit; what lies between has to go.

    The beginning has the error that all began with, the end the one that came out.
    """
    if sum(map(size, lines)) <= room:
        return lines, ()
    tail = _count(lines[::-1], room // 2)
    head = _count(lines, room - room // 2)
    return lines[:head], lines[len(lines) - tail :]


def _count(lines: Sequence[str], room: int) -> int:
    for number, line in enumerate(lines):
        room -= size(line)
        if room < 0:
            return number
    return len(lines)
