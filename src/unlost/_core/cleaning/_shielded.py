"""
One call in a child task that its caller's cancellation does not reach; time does.

Guarantees:

- The caller goes on when the child has ended, or was left: however often the caller is cancelled meanwhile, each
  cancellation is counted by its task as ever, and the first one is handed over.
- When the time is up the child is cancelled, once. If it has not ended ``GRACE`` seconds later it is left, and said to
  be; what it raises then is reported.
- ``KeyboardInterrupt`` and ``SystemExit`` do not stop the loop from within the child; only that of a child which was
  left does, for want of anybody else who could.

States: running, expired (asked to stop), ended or left.
"""

from __future__ import annotations

import math
from asyncio import CancelledError, Task, TimerHandle, get_running_loop
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Final, Generic, TypeVar

from unlost._core._caught import STOPPING, outcome_of, strip_own_frames
from unlost._core._late import hand_over_late
from unlost._core._notes import add_note
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._reason import asked_now, cancel_reason
from unlost._core._stubborn import tell_of
from unlost._core._tasks import start
from unlost._core._waiters import Waiters
from unlost._core._where import still_running
from unlost.errors import ChildCancelled, DeadlineExceeded, UsageError

T = TypeVar("T")

# Seconds between asking a child to stop and leaving it: it has had its time, this is for closing what it holds.
GRACE: Final = 1.0


async def shielded(
    func: Callable[[], Awaitable[T]], *, timeout: float | None, name: str
) -> tuple[Value[T] | Failure, CancelledError | None]:
    """
    Run ``func`` in a child task and a copy of the caller's context.

    Returns:
        How it ended, and the first cancellation of the caller that came meanwhile, for the caller to raise. A failure
        is what ``func`` raised; ``ChildCancelled`` if the child was cancelled from elsewhere; ``DeadlineExceeded`` if
        its time was up and it did not come to a value all the same.
    """
    child = _Child(func, timeout, name)
    cancellation = await child.join()
    try:
        return child.take(), cancellation
    finally:
        del cancellation  # it is going to refer to this frame


def check_timeout(call: str, timeout: object) -> None:
    """Refuse a timeout that is no number."""
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or math.isnan(timeout):
        raise UsageError(f"{call}() got timeout={timeout!r}.\nWrite seconds as a number, or None for no limit.")


class _Child(Generic[T]):
    def __init__(self, func: Callable[[], Awaitable[T]], timeout: float | None, name: str) -> None:
        self._func = func
        self._timeout = math.inf if timeout is None else timeout
        self._name = name
        self._changed = Waiters()
        self._outcome: Outcome[T] | None = None
        self._expired = False
        self._left_at: float | None = None
        self._standing = ""
        self._timer: TimerHandle | None = None
        self._loop = get_running_loop()
        self._began = self._loop.time()
        self._task: Task[None] | None = start(self._run(), name=name, context=copy_context(), on_end=self._ended)
        if self._timeout < math.inf:
            self._timer = self._loop.call_later(max(self._timeout, 0), self._expire)

    async def join(self) -> CancelledError | None:
        cancellation: CancelledError | None = None
        try:
            while self._task is not None and self._left_at is None:
                try:
                    await self._changed.wait()
                except CancelledError as error:
                    if cancellation is None:
                        cancellation = error.with_traceback(None)  # nothing but our own frames
            return cancellation
        finally:
            if self._task is not None and self._left_at is None:  # the caller was closed: nobody waits any more
                self._left_at = self._loop.time()
            del self, cancellation  # see _run

    def take(self) -> Value[T] | Failure:
        """Return how it ended, and forget it: raising an error makes its traceback refer to who holds this."""
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, Value) or (isinstance(outcome, Failure) and isinstance(outcome.error, STOPPING)):
            return outcome
        if outcome is None or self._expired:
            return Failure(self._exceeded(outcome))
        if isinstance(outcome, Cancelled):
            return Failure(child_cancelled(self._name, outcome.error))
        return outcome

    async def _run(self) -> None:
        try:
            self._outcome = Value(await self._func())
        except BaseException as error:  # handed on: it becomes the outcome
            strip_own_frames(error)
            self._outcome = outcome_of(error, -1, 0.0, "")
            if self._left_at is not None and isinstance(error, STOPPING):
                raise
        finally:
            del self  # from 3.12 on, frames in a failure's traceback refer to this one by f_back, even after its end

    def _expire(self) -> None:
        self._expired = True
        if self._task is not None:
            self._task.cancel(asked_now(f"{self._name} of {self._timeout:g} s exceeded", self._name))
            self._timer = self._loop.call_later(GRACE, self._leave)

    def _leave(self) -> None:
        if self._task is None:
            return
        self._left_at = self._loop.time()
        self._standing = still_running(self._task, GRACE)
        tell_of(self._task, GRACE, f"unlost: {self._standing}; its caller goes on without it\n")
        self._changed.wake_all()

    def _ended(self, task: Task[None]) -> None:
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
        if task.cancelled():
            self._outcome = self._outcome or _cancelled(task)  # it may never have come to its first step
        else:
            task.exception()  # looked at: it is the outcome's
        if self._left_at is None:
            self._changed.wake_all()
        elif self._outcome is not None:
            gone = f"its caller went on without it {self._loop.time() - self._left_at:.1f} s ago"
            outcome, self._outcome = self._outcome, None
            hand_over_late(outcome, self._name, gone)

    def _exceeded(self, outcome: Outcome[T] | None) -> DeadlineExceeded:
        errors = (outcome.error,) if isinstance(outcome, Failure) else ()
        exceeded = DeadlineExceeded(self._timeout, self._loop.time() - self._began, self._name, errors)
        if isinstance(outcome, Failure | Cancelled):
            exceeded.__cause__ = outcome.error
        if self._standing:
            add_note(exceeded, self._standing)
        return exceeded


def child_cancelled(name: str, error: CancelledError) -> ChildCancelled:
    """Return what to raise where something was cancelled and its owner was not."""
    said = ChildCancelled(f"{name} was cancelled: {cancel_reason(error) or 'no reason is known'}")
    said.__cause__ = error
    return said


def _cancelled(task: Task[None]) -> Cancelled:
    try:
        task.result()
    except CancelledError as error:
        return Cancelled(error.with_traceback(None), reason=cancel_reason(error))
    raise AssertionError(f"{task!r} is cancelled and has a result")
