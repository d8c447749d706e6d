"""What the variables of a frame stand for, read without a trace of it left behind."""

from __future__ import annotations

import sys
from inspect import CO_OPTIMIZED
from types import FrameType
from typing import Any


def variables(frame: FrameType) -> dict[str, Any]:  # Any: the program's own
    """Return a copy of the variables of a frame."""
    found = frame.f_locals
    copied = dict(found)
    if sys.version_info < (3, 13) and frame.f_code.co_flags & CO_OPTIMIZED and sys.getrefcount(found) == _FRAMES_ONLY:
        found.clear()  # the frame keeps this, and what is in it alive; it may be what locals() gave the program, too
    return copied


def variable(frame: FrameType, name: str) -> Any:  # Any: as above
    """Return what one variable of a frame stands for; None where it is not bound."""
    return frame.f_locals.get(name) if sys.version_info >= (3, 13) else variables(frame).get(name)


def _references() -> int:
    found = sys._getframe().f_locals
    return sys.getrefcount(found)


_FRAMES_ONLY = _references()
