"""The size of the file is bounded, whatever the errors hold: how much of it each of them gets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unlost.report.html._text import size

BYTES: Final = 590_000


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
