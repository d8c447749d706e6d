"""
Limits of time on the task that runs, after ``asyncio.timeout`` (Tinche's ``quattro`` and ``async-timeout`` before it).

Guarantees:

- What came out because of the limit says so: ``DeadlineExceeded``, with which limit it was, and with everything else
  that was raised when it fired. A ``TimeoutError`` of the body's own is never taken for it.
- The task's count of cancellations is what it was. A cancellation from outside that arrives together with the limit
  comes out, as ``CancelledError``.
- The timer ends with the block.
"""

from __future__ import annotations

import asyncio
import math
from asyncio import CancelledError
from types import TracebackType
from typing import NoReturn, Self

from unlost.errors import DeadlineExceeded, UsageError, move_history, recall, remember


class Deadline:
    """
    A limit of time around a block; made by ``timeout`` and ``deadline``, entered once.

    Attributes:
        seconds: The limit, or None.
        name: What ``DeadlineExceeded`` calls it.
        expired: Whether the limit fired. It may be True where the block ended normally: the body swallowed the
            cancellation and came to a value, and a value must not be lost.
    """

    __slots__ = ("_cancelling", "_loop", "_started", "_task", "_timer", "expired", "name", "seconds")

    def __init__(self, seconds: float | None, name: str) -> None:
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float)):
            raise UsageError(f"{name} of {seconds!r}: expected seconds as a number, or None for no limit.")
        if seconds is not None and math.isnan(seconds):
            raise UsageError(f"{name} of {seconds!r}: expected seconds as a number, or None for no limit.")
        self.seconds = seconds
        self.name = name
        self.expired = False
        self._task: asyncio.Task[object] | None = None
        self._timer: asyncio.Handle | None = None

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise UsageError(f"{self!r} was entered before. Write async with timeout(...) anew for each block.")
        self._task = asyncio.current_task()
        if self._task is None:
            raise UsageError(f"{self!r} limits a task, and no task runs here. Write asyncio.run(main()).")
        self._loop = self._task.get_loop()
        self._cancelling = self._task.cancelling()
        self._started = self._loop.time()
        if self.seconds is not None and self.seconds <= 0:
            self._timer = self._loop.call_soon(self._fire)
        elif self.seconds is not None and self.seconds < math.inf:
            self._timer = self._loop.call_later(self.seconds, self._fire)
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.expired or self._task is None:
            return
        also_from_outside = self._task.uncancel() > self._cancelling
        try:
            if isinstance(error, CancelledError) and also_from_outside:
                _keep(error, self._exceeded())
            elif isinstance(error, CancelledError):
                self._raise_from(error, recall(error, "errors") or ())
            elif isinstance(error, Exception | BaseExceptionGroup) and not also_from_outside:
                self._raise_from(error, (error,))
        finally:
            del error

    def _fire(self) -> None:
        self._timer = None
        self.expired = True
        if self._task is not None:
            self._task.cancel(f"{self.name} of {self.seconds:g} s exceeded")

    def _exceeded(self, errors: tuple[BaseException, ...] = ()) -> DeadlineExceeded:
        return DeadlineExceeded(self.seconds or 0.0, self._loop.time() - self._started, self.name, errors)

    def _raise_from(self, error: BaseException, errors: tuple[BaseException, ...]) -> NoReturn:
        exceeded = self._exceeded(errors)
        if isinstance(error, CancelledError):
            move_history(error, exceeded)
        try:
            raise exceeded from error
        finally:
            del exceeded, error, errors

    def __repr__(self) -> str:
        return f"<{self.name} of {self.seconds!r} s{', expired' if self.expired else ''}>"


def timeout(seconds: float | None, name: str = "timeout") -> Deadline:
    """
    Limit the block of an ``async with`` to so many seconds; None is no limit, 0 and less fire at the first await.

        async with timeout(10, "fetch timeout"):
            ...

    When the time is up the body is cancelled. Cancelling is a request: a body that cleans up leaves late, and one
    that swallows it ends normally, with ``expired`` True.

    Raises:
        DeadlineExceeded: The time was up: raised from the ``CancelledError``, with the attempts that were attached to
            it, or from the error that the body raised instead, which is then in ``errors``.
        CancelledError: The task was cancelled from outside, be it in the same moment.
        UsageError: No number, no task, or entered twice.
    """
    return Deadline(seconds, name)


def deadline(seconds: float | None, name: str = "deadline") -> Deadline:
    """Limit a whole operation, waits and further attempts included; the same as ``timeout`` under another name."""
    return Deadline(seconds, name)


def _keep(cancelled: CancelledError, exceeded: DeadlineExceeded) -> None:
    """An inner limit fired too: whoever takes the cancellation is told."""
    remember(cancelled, "errors", (*(recall(cancelled, "errors") or ()), exceeded))
