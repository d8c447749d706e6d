"""
What every policy around one call has in common: how it is called, and how it goes around another one.

A layer is made once and used for many calls, by many tasks at once. ``layer.call(func, *args)`` is the one thing that
it does itself; since a layer's ``call`` is a function like any other, ``outer.call(inner.call, func, *args)`` puts one
around the other, and nothing else is needed to compose them.
"""

from __future__ import annotations

from asyncio import CancelledError, current_task, get_running_loop
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple

from unlost._core import Cancelled, Failure, Outcome, Value, cancel_reason, receipt
from unlost.errors import attempts

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class Cost:
    """
    What one call through a layer can come to, at worst.

    Attributes:
        seconds: How long it takes, waits included; ``math.inf`` where nothing bounds it.
        calls: How many calls arrive at what is inside; ``math.inf`` likewise.
    """

    seconds: float
    calls: float


class Layer:
    """One policy around a call."""

    __slots__ = ()

    async def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """Return what ``func(*args)`` returns, or raise what comes out in its place."""
        raise NotImplementedError

    async def outcome(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> Outcome[T]:
        """
        Return how ``call`` ended; ``survived`` has what a value came in spite of.

        Raises:
            CancelledError: This task is being cancelled.
            KeyboardInterrupt, SystemExit, GeneratorExit: As they come.
        """
        time = get_running_loop().time
        began = time()
        task = current_task()
        cancelling = 0 if task is None else task.cancelling()
        with receipt() as survived:
            try:
                value = await self.call(func, *args)
            except CancelledError as error:
                if _is_cancelled(cancelling):
                    raise
                return Cancelled(error, duration=time() - began, survived=attempts(error), reason=cancel_reason(error))
            except Exception as error:  # handed on as the outcome  # noqa: BLE001
                return Failure(error, duration=time() - began, survived=attempts(error))
        return Value(value, duration=time() - began, survived=survived.errors)

    def cost(self, inner: Cost) -> Cost:
        """Return what a call through this layer can come to, from what one of the call inside of it can."""
        return inner

    def phrase(self) -> str:
        """Return what it does, as part of a sentence: ``try up to 5 times``."""
        raise NotImplementedError

    def refusal(self, inner: tuple[Layer, ...]) -> str:
        """Return why it cannot work around these layers, outermost first, and what to write; empty if it can."""
        return ""


def _is_cancelled(before: int) -> bool:
    task = current_task()
    return task is not None and task.cancelling() > before
