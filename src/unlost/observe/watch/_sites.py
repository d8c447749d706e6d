"""Frames as pairs of code and instruction, which cost little and keep nothing alive; and what they are when told."""

from __future__ import annotations

import sys
from collections import deque
from functools import lru_cache
from itertools import islice
from types import CodeType, TracebackType
from typing import Final

from unlost._core.hooks import Spot
from unlost.observe._code import is_application
from unlost.observe._text import encodable
from unlost.observe.watch._finding import Origin, Site

MOST: Final = 64


def spots_of(traceback: TracebackType | None) -> tuple[Spot, ...]:
    """Return the frames of a traceback, outermost first; of a deep one the ``MOST`` innermost."""
    found: deque[Spot] = deque(maxlen=MOST)
    while traceback is not None:
        found.append((traceback.tb_frame.f_code, traceback.tb_lasti))
        traceback = traceback.tb_next
    return tuple(found)


def site_of(spot: Spot) -> Site:
    """Return the place of a pair."""
    code, offset = spot
    positions = next(islice(code.co_positions(), max(offset, 0) // 2, None), None)
    line = (positions[0] if positions else None) or code.co_firstlineno
    return site_at(code, line)


def site_at(code: CodeType, line: int) -> Site:
    """Return the place of a line in a code object."""
    return site_named(code.co_filename, line, code.co_qualname)


def site_named(file: str, line: int, function: str) -> Site:
    """Return the place of a line in a function of a file."""
    file = encodable(file)
    return Site(file, line, encodable(function), is_application(file), _module_of(file))


def origin_of(task: str, spawned: tuple[Spot, ...]) -> Origin:
    """Return the task of a name that was started at these places."""
    return Origin(encodable(task), tuple(site_of(spot) for spot in spawned))


@lru_cache(maxsize=4096)
def _module_of(file: str) -> str:
    """Return the name of the module that was imported from a file; that of the program itself is ``__main__``."""
    for name, module in tuple(sys.modules.items()):
        # the module's own dictionary: some modules import others when they are asked for an attribute
        namespace = getattr(type(module), "__dict__", {}).get("__dict__")
        names = namespace.__get__(module) if namespace is not None else {}
        if isinstance(names, dict) and names.get("__file__") == file:
            return name
    return ""
