"""A program in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

from unlost import _core
from unlost.testing._virtual_time import VirtualTimeLoop

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run(main: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """
    Run ``main(*args)`` as ``unlost.run`` does, on a ``VirtualTimeLoop``: what it waits for is there at once.

    Raises:
        BaseException: As ``unlost.run``; what failed in the background is attached or raised.
        RuntimeError: It would have hung; what waits, and where, is in the text.
    """
    return _core.run(main, *args, loop_factory=VirtualTimeLoop)
