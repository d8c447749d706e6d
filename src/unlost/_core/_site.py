"""Where a call was written, and what a function is called: cheap to keep, put into words when somebody reads them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from types import CodeType, FrameType


@dataclass(frozen=True, slots=True)
class Site:
    """A line of code; no frame, whose locals would stay alive with it."""

    code: CodeType
    line: int

    def __str__(self) -> str:
        return f"{os.path.basename(self.code.co_filename)}:{self.line} in {self.code.co_qualname}"


def caller(depth: int) -> Site:
    """Return where the function was called that calls this (depth 1), or the one that called that (2), and so on."""
    return site_of(sys._getframe(depth + 1))


def site_of(frame: FrameType) -> Site:
    """Return the line that a frame stands at."""
    return Site(frame.f_code, frame.f_lineno)


def name_of(func: object) -> str:
    """Return what to call a function, or a partial of it, in a message."""
    while isinstance(func, partial):
        func = func.func
    name = getattr(func, "__name__", None)
    return name if isinstance(name, str) else type(func).__name__
