"""Where in the user's code a thread is at this moment, from its frames: nothing was raised."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import FrameType
from typing import Final, NamedTuple

from unlost.observe._frames import is_app_frame, module_of_frame
from unlost.observe._place import base_name
from unlost.observe._text import encodable, printable

_DEBUGGERS: Final = frozenset({"bdb", "pydevd", "_pydevd_bundle"})  # pdb, ipdb and pudb stand on bdb


class Running(NamedTuple):
    """
    A place that a thread is at.

    Attributes:
        file: Its last part.
        function: Bare.
        line: Counted from 1.
        entered: ``module.function`` that was called there in a library or in Python; None where it is in C, or in
            the user's own code.
    """

    file: str
    function: str
    line: int
    entered: str | None

    def __str__(self) -> str:
        spot = f"{self.file}:{self.line} in {self.function}"
        return printable(encodable(f"{spot} → {self.entered}" if self.entered else spot))


def running_at(frame: FrameType, own: Collection[str] = ()) -> Running:
    """
    Return the innermost place in the user's code of the stack that ends in ``frame``; of any code if none is in it.

    Args:
        own: Top-level packages that are the user's code wherever they are installed.
    """
    inner: FrameType | None = None
    for outer in _stack(frame):
        if is_app_frame(outer, own):
            return _running(outer, inner)
        inner = outer
    return _running(frame, None)


def is_debugged(frame: FrameType) -> bool:
    """Say whether a debugger is on the stack that ends in ``frame``: the thread waits for a person."""
    return any(module_of_frame(outer).partition(".")[0] in _DEBUGGERS for outer in _stack(frame))


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _running(frame: FrameType, inner: FrameType | None) -> Running:
    code = frame.f_code
    entered = None if inner is None else f"{module_of_frame(inner).partition('.')[0]}.{inner.f_code.co_name}"
    return Running(base_name(code.co_filename), code.co_name, frame.f_lineno or 0, entered)
