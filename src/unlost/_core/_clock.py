"""The only file that reads the clock (held by ``tests/house``)."""

from asyncio import AbstractEventLoop, BaseEventLoop
from collections.abc import Callable
from time import monotonic, time

__all__ = ["monotonic", "time_of", "wall"]

wall = time


def time_of(loop: AbstractEventLoop) -> Callable[[], float]:
    """
    Return what ``loop.time`` returns, as cheap as it gets.

    Stock loops wrap ``monotonic`` in a method of Python: the call costs several times the reading.
    """
    return monotonic if getattr(type(loop), "time", None) is BaseEventLoop.time else loop.time
