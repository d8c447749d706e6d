"""
A function in a thread, whose end is told even if its caller has gone on.

A call's states: waiting (for a free thread), running, ended. Its caller may leave in each of them. Who comes second,
the thread with its outcome or the caller who leaves, finds what the first one wrote, under the call's lock, and sees to
the outcome: nothing relies on a loop that may be closed by then.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import CancelledError
from collections.abc import Callable
from contextvars import copy_context
from inspect import iscoroutine
from threading import Lock, get_ident
from typing import Any, Generic, ParamSpec, TypeVar

from unlost._core._caught import STOPPING, strip_own_frames
from unlost._core._clock import monotonic
from unlost._core._late import hand_over_late
from unlost._core._outcome import Failure, Value
from unlost._core._reraise import reraise
from unlost._core._site import name_of, site_of
from unlost._core._startable import check_startable
from unlost._core.cleaning._carry import carry
from unlost._core.cleaning._shielded import child_cancelled
from unlost.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")

_running: set[_Call[Any]] = set()  # Any: calls of every result


async def to_thread(func: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """
    Call ``func(*args, **kwargs)`` in a thread of the loop's default executor, as ``asyncio.to_thread`` does.

    It runs in a copy of the caller's context. A thread cannot be stopped: if the caller is cancelled, the call goes on
    without it, unless it was still waiting for a free thread; then it is not made. What it raises later goes to the
    reporters, in that thread; what it returns is told as ``LateValue``. ``abandoned`` lists such calls while they run.

    Returns:
        What ``func`` returned.

    Raises:
        CancelledError: The caller was cancelled; it does not wait for the thread. An error that ``func`` had just
            raised is attached.
        RuntimeError: From a ``StopIteration`` that ``func`` raised: no coroutine can raise that one. Or the executor
            was shut down.
        ChildCancelled: The executor dropped the call while it waited, or ``func`` raised a ``CancelledError``.

    ``SystemExit`` and ``KeyboardInterrupt`` raised by ``func`` come out in the caller, where they end the program as
    ever; if the caller is gone they are reported, and end nothing.
    """
    given: object = func  # callers without a type checker give anything
    if iscoroutine(given):
        check_startable("to_thread", given)
    if not callable(given):
        raise UsageError(f"to_thread() got {given!r} where it needs a function.\nWrite to_thread(func, *args).")
    call = _Call(lambda: func(*args, **kwargs), name_of(func))
    await call.join()
    value = call.take().unwrap()
    if iscoroutine(value):
        value.close()
        name = name_of(func)
        raise UsageError(f"to_thread({name}) got an async function, which needs no thread.\nWrite await {name}(...).")
    return value


def abandoned() -> list[tuple[str, float, str]]:
    """
    Return the calls of ``to_thread`` that still run and whose callers have gone on, the longest one first.

    Each as its name, the seconds since its caller left, and ``file.py:12 in function`` where its thread is just now.
    """
    now, frames = monotonic(), sys._current_frames()
    found = [
        (call.name, now - call.left_at, str(site_of(frames[call.thread])))
        for call in tuple(_running)
        if call.left_at is not None and call.thread in frames  # after a fork, they are threads of the parent
    ]
    return sorted(found, key=lambda entry: -entry[1])


class _Call(Generic[T]):
    """
    One call, seen from its caller and from its thread.

    Attributes:
        name: For reports.
        thread: Which thread runs it; 0 while it waits for one.
        left_at: When its caller went on without it, in seconds of ``monotonic``.
    """

    def __init__(self, func: Callable[[], T], name: str) -> None:
        self.name = f"to_thread({name})"
        self.__name__ = name  # what an executor calls it that says what its threads do
        self.thread = 0
        self.left_at: float | None = None
        self._func = func
        self._context = copy_context()
        self._loop = asyncio.get_running_loop()
        self._outcome: Value[T] | Failure | None = None
        self._lock = Lock()

    async def join(self) -> None:
        """Wait for the end of the thread; tell the thread if nobody does so any more."""
        ended = self._loop.run_in_executor(None, self)
        try:
            await ended
        except BaseException as leaving:
            task = asyncio.current_task()
            self._leave(leaving)
            if isinstance(leaving, CancelledError) and ended.cancelled() and task is not None and not task.cancelling():
                raise child_cancelled(self.name, leaving) from leaving  # the executor dropped it
            raise
        finally:
            del self, ended  # frames of what was raised refer to this one

    def take(self) -> Value[T] | Failure:
        """Return how it ended, and forget it: raising an error makes its traceback refer to who holds this."""
        outcome, self._outcome = self._outcome, None
        if outcome is None:
            raise AssertionError(f"{self.name} has ended without an outcome")
        return outcome

    def _leave(self, leaving: BaseException) -> None:
        with self._lock:
            self.left_at = monotonic()
            outcome, self._outcome = self._outcome, None
        try:
            if outcome is None:
                return  # the thread sees to it
            if not isinstance(leaving, CancelledError) or isinstance(outcome, Value):
                hand_over_late(outcome, self.name, "its caller left in that moment")
            elif isinstance(outcome.error, STOPPING):
                carry(outcome.error, (leaving,), self.name)
                reraise(outcome.error)
            else:
                carry(leaving, (outcome.error,), self.name)
        finally:
            del outcome, leaving  # what is raised refers to this frame

    def __call__(self) -> None:
        """Make the call; runs in the thread, and raises nothing."""
        with self._lock:
            if self.left_at is not None:
                return  # the caller left before there was a free thread
            self.thread = get_ident()
        _running.add(self)
        try:
            self._end(self._called())
        finally:
            _running.discard(self)
            del self  # from 3.12 on, frames of a failure refer to this one by f_back, even after its end

    def _called(self) -> Value[T] | Failure:
        try:
            return Value(self._context.run(self._func))
        except BaseException as raised:  # handed on: to the caller or the reporters  # noqa: BLE001
            strip_own_frames(raised)
            return Failure(_to_raise(raised, self.name))
        finally:
            del self  # as above

    def _end(self, outcome: Value[T] | Failure) -> None:
        with self._lock:
            left_at = self.left_at
            if left_at is None and not self._loop.is_closed():
                self._outcome = outcome
                return
        gone = (
            "its loop was closed" if left_at is None else f"the caller was cancelled {monotonic() - left_at:.1f} s ago"
        )
        hand_over_late(outcome, self.name, gone)


def _to_raise(raised: BaseException, name: str) -> BaseException:
    """Return what can come out of a coroutine, and does not look like its cancellation."""
    if isinstance(raised, CancelledError):
        return child_cancelled(name, raised)
    if not isinstance(raised, StopIteration):
        return raised
    stopped = RuntimeError(f"{name} raised StopIteration")
    stopped.__cause__ = raised
    return stopped
