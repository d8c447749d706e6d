"""Which handler what is raised at an instruction goes to: a code object's exception table."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from types import CodeType
from typing import Final, NamedTuple

NONE: Final = -1
"""The depth of what catches where nothing does."""


class Guard(NamedTuple):
    """
    A line of the table.

    Attributes:
        start: The first offset that it covers.
        end: The first that it no longer does.
        target: Where what is raised there goes.
        depth: What lies on the stack then, what is being handled included: deeper is further in.
    """

    start: int
    end: int
    target: int
    depth: int


def guards_of(code: CodeType) -> tuple[Guard, ...]:
    """Return the table, in the order of the offsets."""
    # as Objects/exception_handling_notes.txt in CPython has it; dis would read the lines as well
    numbers = _numbers(code.co_exceptiontable)
    return tuple(
        Guard(2 * start, 2 * (start + length), 2 * target, depth >> 1)
        for start, length, target, depth in zip(numbers, numbers, numbers, numbers, strict=True)
    )


def _numbers(table: bytes) -> Iterator[int]:
    number = 0
    for byte in table:
        number = number << 6 | byte & 0x3F
        if not byte & 0x40:
            yield number
            number = 0


def guard_at(guards: tuple[Guard, ...], offset: int) -> Guard | None:
    """Return what covers an offset; None where what is raised there leaves the frame."""
    position = bisect_right(guards, offset, key=lambda guard: guard.start) - 1
    if position < 0 or offset >= guards[position].end:
        return None
    return guards[position]


def depth_at(guards: tuple[Guard, ...], offset: int) -> int:
    """Return the depth of what catches what is raised at an offset."""
    guard = guard_at(guards, offset)
    return NONE if guard is None else guard.depth
