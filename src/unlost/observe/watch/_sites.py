"""Frames as pairs of code and instruction, which cost little and keep nothing alive; and what they are when told."""

from __future__ import annotations

from itertools import islice
from types import CodeType, TracebackType
from typing import Final, TypeAlias

from unlost.observe._code import is_application
from unlost.observe._text import encodable
from unlost.observe.watch._verdict import Site

MOST: Final = 64

Spot: TypeAlias = tuple[CodeType, int]
"""A code object and the offset of an instruction."""


def spots_of(traceback: TracebackType | None) -> tuple[Spot, ...]:
    """Return the frames of a traceback, outermost first, ``MOST`` at most."""
    found = []
    left = MOST
    while traceback is not None and left:
        found.append((traceback.tb_frame.f_code, traceback.tb_lasti))
        traceback = traceback.tb_next
        left -= 1
    return tuple(found)


def site_of(spot: Spot) -> Site:
    """Return the place of a pair."""
    code, offset = spot
    positions = next(islice(code.co_positions(), offset // 2, None), None)
    line = (positions[0] if positions else None) or code.co_firstlineno
    return site_at(code, line)


def site_at(code: CodeType, line: int) -> Site:
    """Return the place of a line in a code object."""
    return Site(encodable(code.co_filename), line, encodable(code.co_qualname), is_application(code.co_filename))
