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
from asyncio import AbstractEventLoop, current_task, get_running_loop
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar, TypeVarTuple

from unlost._core import (
    CancellationSwallowed,
    Reason,
    add_note,
    asked_now,
    cancelling_before,
    emit,
    take_back,
    where,
)
from unlost.errors import DeadlineExceeded, attach_errors
from unlost.policies._deadline_ending import (
    came_up,
    is_awaited_by_a_generator,
    is_told_to_stop,
    noted_at_a_yield,
    raise_instead,
)
from unlost.policies._deadline_events import DeadlineFired
from unlost.policies._deadline_layer import phrase_of, refusal_of
from unlost.policies._deadline_misuse import (
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
from unlost.policies._deadline_queue import Limit, line_up
from unlost.policies._layer import Cost, Layer
from unlost.policies._remaining import Ambient, active, innermost

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Deadline(Layer):
    """
    A limit of time around a block, entered once, or around every call; ``timeout`` and its sisters make it.

        async with timeout(10, "fetch timeout"):
            ...

        fetch_in_time = deadline(30) | retry(5) | timeout(3)

    As a block, it can be used wherever ``asyncio.Timeout`` can. As a layer it is used again and again: each call gets a
    limit of its own, of the same length and name, from when the call starts. Where it is a time of the loop's clock
    (``timeout_at``), all calls end by then.

    Args:
        when: A time of the loop's clock; None is no limit, a time that has passed fires at the first await.
        name: What ``DeadlineExceeded`` calls it.
        since: From which time of the loop's clock ``seconds`` counts; by default, from when the block is entered.
        after: In how many seconds it fires, in the place of ``when``, where that is not known before it is entered; and
            of a layer, how long each call has.
    """

    __slots__ = (
        "_after",
        "_cancelling",
        "_loop",
        "_queue",
        "_reason",
        "_since",
        "_state",
        "_stood_at",
        "_task",
        "_timer",
        "_when",
        "around",
        "name",
    )

    @property
    def keeps_state(self) -> bool:
        return False

    def __init__(
        self, when: float | None, name: str = "timeout", *, since: float | None = None, after: float | None = None
    ) -> None:
        if type(when) is not float or when != when:  # else fine: it is what most are
            check_time(name, "at", when)
        self.name = name
        self.around: Ambient | None = None
        self._when = when
        self._since = since
        self._after = after
        self._stood_at = ""
        self._state: State = "created"
        self._task: AnyTask | None = None
        self._timer: asyncio.Handle | None = None
        self._queue: dict[Limit, float] | None = None

    async def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """
        Return what ``func(*args)`` returns within the limit.

        A value that comes although the limit fired, since ``func`` swallowed the cancellation, is returned: it must not
        be lost. Listeners are told: ``CancellationSwallowed``.

        Raises:
            DeadlineExceeded: The time was up; see ``timeout``.
            CancelledError: The task was cancelled from outside.
            DeadlineStateError: No task runs.
        """
        loop = get_running_loop()
        task = current_task(loop)
        if task is None:
            raise without_a_task(repr(self))
        now = loop.time()
        limit = Deadline(
            self._when if self._after is None else now + self._after, self.name, since=now, after=self._after
        )
        try:
            # not an `async with`: two coroutines less for each call
            limit._begin(task, loop, now)
            try:
                value = await func(*args)
            except BaseException as error:
                if not limit._is_simply_over(task):
                    await limit._tell(task, error)
                raise
            if not limit._is_simply_over(task):
                await limit._tell(task, None)
            return value
        finally:
            del task  # the error's traceback holds this frame, and the task the error

    def when(self) -> float | None:
        """Return the time at which it fires, by the loop's clock, or None."""
        return self._when

    @property
    def seconds(self) -> float | None:
        """Its length, to the microsecond; None without a limit, and before a block from whose start it counts."""
        if self._state == "created" and self._after is not None:
            return self._after
        if self._when is None or self._since is None:
            return None
        return round(self._when - self._since, 6)

    def is_active(self) -> bool:
        """Tell whether its block has been entered and not left."""
        return self._task is not None

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
        check_time(self.name, "at", when)
        if self._queue is not None:
            self._queue.pop(self, None)
            self._queue = None
        elif self._timer is not None:
            self._timer.cancel()
        self._when = when
        self._timer = self._armed(when)

    async def __aenter__(self) -> Self:
        if self._state != "created":
            raise entered_again(repr(self))
        loop = get_running_loop()
        task = current_task(loop)
        if task is None:
            raise without_a_task(repr(self))
        if self._since is None:
            self._since = loop.time()
            if self._after is not None:
                self._when = self._since + self._after
        self._begin(task, loop, loop.time())
        del task
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        # what is raised refers to this frame and so to self, and a task that fails refers to what was raised
        task = self._task
        try:
            if not self._is_simply_over(task):
                is_at_yield = isinstance(error, GeneratorExit) and is_awaited_by_a_generator()
                await self._tell(task, error, is_at_yield)
        finally:
            del task, error

    def _begin(self, task: AnyTask, loop: AbstractEventLoop, now: float) -> None:
        self._task = task
        self._loop = loop
        self._cancelling = task.cancelling() and cancelling_before(task)
        self._state = "active"
        around = innermost.get()
        self.around = around and active(around)
        innermost.set(self)
        when = self._when
        if when is None:
            return
        if self._after is not None and now < when < math.inf:
            self._queue = line_up(self, when, loop, self._after)
        if self._queue is None:
            self._timer = self._armed(when)

    def _is_simply_over(self, task: AnyTask | None) -> bool:
        """End the limit; tell whether that is all, in time and in the task that it limits."""
        if self._queue is not None:
            self._queue.pop(self, None)
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._task = None
        if innermost.get() is self:
            innermost.set(self.around)
        if self._state == "expiring":
            self._state = "expired"
            return False
        self._state = "finished"
        return task is not None and current_task(self._loop) is task

    async def _tell(self, task: AnyTask | None, error: BaseException | None, is_at_yield: bool = False) -> None:
        """Say that the time was up, or that it was another task that left the block."""
        fired = self._state == "expired"
        try:
            if task is None or current_task(self._loop) is not task:
                self._left_by_another(task, error, fired)
            else:
                # at or below the count: the body took our cancellation back itself
                was_alone = task.cancelling() <= self._cancelling or await take_back(task, self._cancelling)
                self._conclude(task, error, is_at_yield, not was_alone)
        finally:
            del task, error

    def _armed(self, when: float | None) -> asyncio.Handle | None:
        if when is None or when == math.inf:
            return None
        if when <= self._loop.time():
            return self._loop.call_soon(self.fire)
        return self._loop.call_at(when, self.fire)

    def fire(self) -> None:
        """Cancel the task; for timers."""
        self._queue = self._timer = None
        self._state = "expiring"
        if self._task is not None:
            self._stood_at = where(self._task)
            self._reason: Reason = asked_now(f"{self._called()} exceeded", self.name)
            self._task.cancel(self._reason)
            emit(DeadlineFired(self.name, self.seconds or 0.0, self._stood_at))

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
                raise_instead(noted_at_a_yield(self._exceeded()), error)
            elif is_told_to_stop(error):
                attach_errors(error, (self._exceeded(),))
            else:
                raise_instead(self._exceeded(came_up(error)), error)
        finally:
            del task, error

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
        return DeadlineExceeded(self.seconds or 0.0, self._loop.time() - since, self.name, errors, self._stood_at)

    def _called(self) -> str:
        return f"{self.name} of {self.seconds or 0.0:g} s"

    def cost(self, inner: Cost) -> Cost:
        return inner if self._after is None else Cost(min(max(0.0, self._after), inner.seconds), inner.calls)

    def phrase(self) -> str:
        return phrase_of(self._after, self._when, "within {} in all")

    def phrase_each(self) -> str:
        return phrase_of(self._after, self._when, "give each try {}")

    def refusal(self, inner: tuple[Layer, ...]) -> str:
        limits = [(layer.name, layer._after) for layer in inner if isinstance(layer, Deadline)]
        pauses = [(layer.phrase(), layer.pause()) for layer in inner]
        return refusal_of(self.name, self._after, limits, pauses)

    def __repr__(self) -> str:
        # asyncio's form, which its tests want; a name only where one was given
        name = "" if self.name == "timeout" else f" {self.name!r}"
        when = "" if self._state != "active" else f" when={self._when if self._when is None else round(self._when, 3)}"
        return f"<Timeout{name} [{self._state}]{when}>"
