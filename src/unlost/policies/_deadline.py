"""
A limit of time on the task that runs, after ``asyncio.Timeout`` (``quattro`` and ``async-timeout`` before it).

Guarantees:

- What came out because of the limit says so: ``DeadlineExceeded``, with which limit it was, and with everything else
  that was raised when it fired. A ``TimeoutError`` of the body's own is never taken for it.
- The task's count of cancellations is what it was. A cancellation from outside that arrives together with the limit
  comes out, as ``CancelledError``, and carries that the limit fired too.
- The timer ends with the block.

What cannot be helped: a limit cancels its task, wherever that stands. Inside of an async generator that is suspended at
a yield, it stands in what consumes the generator (PEP 789). Whether it does cannot be seen when the time is up, since a
context manager made of a generator looks the same and is in order; it is told when the block is left.
"""

from __future__ import annotations

import asyncio
import math
import sys
from asyncio import AbstractEventLoop, CancelledError, current_task
from inspect import CO_ASYNC_GENERATOR
from types import TracebackType
from typing import NoReturn, Self

from unlost._core import (
    CancellationSwallowed,
    Reason,
    add_note,
    asked_now,
    attach_outcomes,
    cancelling_before,
    emit,
    partial,
    take_back,
    where,
)
from unlost.errors import DeadlineExceeded, attach_errors, attached, move_history
from unlost.policies._deadline_misuse import (
    AT_A_YIELD,
    AnyTask,
    DeadlineStateError,
    State,
    check_time,
    entered_again,
    left_by_another,
    not_entered,
    not_to_reschedule,
    without_a_task,
)


class Deadline:
    """
    A limit of time around a block, entered once; ``timeout`` and its sisters make it.

    It can be used wherever ``asyncio.Timeout`` can.

    Args:
        when: A time of the loop's clock; None is no limit, a time that has passed fires at the first await.
        name: What ``DeadlineExceeded`` calls it.
        since: From which time of the loop's clock ``seconds`` counts; by default, from when the block is entered.
    """

    __slots__ = ("_cancelling", "_loop", "_reason", "_since", "_state", "_stood_at", "_task", "_timer", "_when", "name")

    def __init__(self, when: float | None, name: str = "timeout", *, since: float | None = None) -> None:
        check_time(f"{name} at", when, "a time of the loop's clock")
        self.name = name
        self._when = when
        self._since = since
        self._state: State = "created"
        self._task: AnyTask | None = None
        self._timer: asyncio.Handle | None = None

    def when(self) -> float | None:
        """Return the time at which it fires, by the loop's clock, or None."""
        return self._when

    @property
    def seconds(self) -> float | None:
        """Its length, to the microsecond; None without a limit, and before a block from whose start it counts."""
        if self._when is None or self._since is None:
            return None
        return round(self._when - self._since, 6)

    def expired(self) -> bool:
        """
        Tell whether the limit fired.

        It may have where the block ended normally: the body swallowed the cancellation and came to a value, and a value
        must not be lost. Listeners are told: ``CancellationSwallowed``.
        """
        return self._state in ("expiring", "expired")

    def reschedule(self, when: float | None) -> None:
        """
        Let it fire at another time of the loop's clock, or with None not at all; ``seconds`` changes with it.

        Raises:
            DeadlineStateError: Outside of the block, or after it fired; a ``UsageError`` and a ``RuntimeError``.
        """
        if self._state != "active":
            raise not_to_reschedule(repr(self), self._state)
        check_time(f"{self.name} at", when, "a time of the loop's clock")
        if self._timer is not None:
            self._timer.cancel()
        self._when = when
        self._timer = self._armed(when)

    async def __aenter__(self) -> Self:
        if self._state != "created":
            raise entered_again(repr(self))
        task = current_task()
        if task is None:
            raise without_a_task(repr(self))
        self._task = task
        self._loop: AbstractEventLoop = task.get_loop()
        self._cancelling = cancelling_before(task)
        self._state = "active"
        if self._since is None:
            self._since = self._loop.time()
        self._timer = self._armed(self._when)
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        fired = self._state == "expiring"
        self._state = "expired" if fired else "finished"
        # what is raised refers to this frame and so to self, and a task that fails refers to what was raised
        task, self._task = self._task, None
        try:
            if task is None or current_task(self._loop) is not task:
                self._left_by_another(task, error, fired)
            elif fired:
                is_at_yield = isinstance(error, GeneratorExit) and _awaited_by_a_generator()
                # at or below the count: the body took our cancellation back itself
                was_alone = task.cancelling() <= self._cancelling or await take_back(task, self._cancelling)
                self._conclude(task, error, is_at_yield, not was_alone)
        finally:
            del task, error

    def _armed(self, when: float | None) -> asyncio.Handle | None:
        if when is None or when == math.inf:
            return None
        if when <= self._loop.time():
            return self._loop.call_soon(self._fire)
        return self._loop.call_at(when, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._state = "expiring"
        if self._task is not None:
            self._stood_at = where(self._task)
            self._reason: Reason = asked_now(f"{self._called()} exceeded", self.name)
            self._task.cancel(self._reason)

    def _conclude(
        self, task: AnyTask, error: BaseException | None, is_at_yield: bool, is_cancelled_besides: bool
    ) -> None:
        """The time was up: say so, unless there is more to be said."""
        try:
            if is_cancelled_besides and error is not None:
                attach_errors(error, (self._exceeded(),))
            elif error is None:
                emit(CancellationSwallowed(task.get_name(), self._reason, self._stood_at))
            elif is_at_yield:
                raise _noted(self._exceeded(), AT_A_YIELD) from error
            elif _is_told_to_stop(error):
                attach_errors(error, (self._exceeded(),))
            else:
                self._raise_from(error)
        finally:
            del task, error

    def _raise_from(self, error: BaseException) -> NoReturn:
        exceeded = self._exceeded(_came_up(error))
        if isinstance(error, CancelledError):
            move_history(error, exceeded)
        elif (outcomes := partial(error)) is not None:
            attach_outcomes(exceeded, outcomes)
        try:
            raise exceeded from error
        finally:
            del exceeded, error

    def _left_by_another(self, task: AnyTask | None, error: BaseException | None, fired: bool) -> None:
        if task is None:
            raise not_entered(repr(self))
        if fired and task.cancelling() > self._cancelling:
            task.uncancel()
        leaving = current_task(self._loop)
        is_closed = isinstance(error, GeneratorExit)
        try:
            # what is closed before anything happened, or by the garbage collector, is nobody's mistake
            if is_closed and (not fired or leaving is None):
                return
            text = left_by_another(self._called(), task, leaving, fired=fired)
            if error is None or is_closed:
                raise DeadlineStateError(text) from error
            add_note(error, text)
            if fired:
                attach_errors(error, (self._exceeded(),))
        finally:
            del task, leaving, error

    def _exceeded(self, errors: tuple[BaseException, ...] = ()) -> DeadlineExceeded:
        since = self._since or 0.0
        return DeadlineExceeded(self.seconds or 0.0, self._loop.time() - since, self.name, errors)

    def _called(self) -> str:
        return f"{self.name} of {self.seconds or 0.0:g} s"

    def __repr__(self) -> str:
        # asyncio's form, which its tests want; a name only where one was given
        name = "" if self.name == "timeout" else f" {self.name!r}"
        when = "" if self._state != "active" else f" when={self._when if self._when is None else round(self._when, 3)}"
        return f"<Timeout{name} [{self._state}]{when}>"


def _is_told_to_stop(error: BaseException) -> bool:
    """An exception that no handler of errors may take for one: the program, or a generator, is to end."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup((KeyboardInterrupt, SystemExit)) is not None
    return not isinstance(error, Exception | CancelledError)


def _came_up(error: BaseException) -> tuple[BaseException, ...]:
    """Return what was raised since the limit fired, oldest first: with what was attached to the cancellation before."""
    if isinstance(error, CancelledError):
        return attached(error)
    return (*_attached_to_the_cancellation(error), error, *attached(error))


def _attached_to_the_cancellation(error: BaseException) -> tuple[BaseException, ...]:
    beneath: BaseException | None = error
    passed = set()
    while beneath is not None and id(beneath) not in passed:
        if isinstance(beneath, CancelledError):
            return attached(beneath)
        passed.add(id(beneath))
        beneath = beneath.__context__
    return ()


def _noted(exceeded: DeadlineExceeded, note: str) -> DeadlineExceeded:
    exceeded.add_note(note)
    return exceeded


def _awaited_by_a_generator() -> bool:
    """Tell whether the block that is being left stands in an async generator itself."""
    block = sys._getframe(1).f_back
    return block is not None and bool(block.f_code.co_flags & CO_ASYNC_GENERATOR)
