"""The only file that reads the clock (held by ``tests/house``)."""

from asyncio import AbstractEventLoop, BaseEventLoop
from collections.abc import Callable
from time import monotonic, process_time, time

__all__ = ["cpu_time", "monotonic", "time_of", "wall"]

wall = time

cpu_time = process_time
"""Seconds for which any thread of this process had a processor."""


def time_of(loop: AbstractEventLoop) -> Callable[[], float]:
    """
    Return what ``loop.time`` returns, as cheap as it gets.

    Stock loops wrap ``monotonic`` in a method of Python: the call costs several times the reading.
    """
    return monotonic if getattr(type(loop), "time", None) is BaseEventLoop.time else loop.time
