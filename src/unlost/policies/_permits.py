"""
Permits for calls that run at once, and the line of those who wait for one.

Guarantees:

- First come, first served: nobody passes those who wait. A permit that is given back goes straight to who waits
  longest, so that there is never a free one while somebody waits.
- Whoever leaves the line, cancelled, closed or too late, takes nothing with it. A permit that reaches a waiter in the
  tick of its cancellation goes to the next one (``asyncio.Semaphore`` and ``asyncio.Condition`` had both lost it at
  times: cpython#90155, cpython#112202).
- One loop at a time: another one may come when no call runs or waits, or when the first is closed, whose permits are
  void then.

While a permit is free, nothing is made and nothing is awaited.
"""

from __future__ import annotations

import math
from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import OrderedDict
from types import TracebackType
from typing import Self

from unlost._core import emit
from unlost.errors import BulkheadFull
from unlost.policies._checks import check_seconds
from unlost.policies._layer import Cost, Layer
from unlost.policies._limit_events import LimitRejected, LimitWaited
from unlost.policies._limit_usage import around_itself, check_queue, in_use_elsewhere
from unlost.policies._timeline import running_loop


class Permits(Layer):
    """
    At most so many at once; the base of the limits that count running calls.

    Args:
        call: The class's name, for messages.
        limit: How many permits there are; checked by the caller.
        queue: How many may wait for one; None is any number.
        max_wait: The longest that one may wait, in seconds; None is any time.
        name: What errors and events call it.
    """

    __slots__ = ("__weakref__", "_limit", "_line", "_loop", "_max_wait", "_queue", "_running", "name")

    def __init__(self, call: str, limit: int, queue: int | None, max_wait: float | None, name: str) -> None:
        check_queue(call, queue)
        if max_wait is not None:
            check_seconds(call, "max_wait", max_wait)
        self.name = name
        self._limit = limit
        self._queue = queue
        self._max_wait = max_wait
        self._running = 0
        # by insertion; not a deque: who leaves stands anywhere in it. The result is whether the permit was given
        self._line: OrderedDict[Future[bool], None] = OrderedDict()
        self._loop: AbstractEventLoop | None = None

    @property
    def limit(self) -> int:
        """How many calls may run at once."""
        return self._limit

    @property
    def running(self) -> int:
        """How many calls run now, those included that have their permit and were not resumed yet."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many calls wait for a permit; one that was cancelled counts until it has been resumed."""
        return len(self._line)

    async def __aenter__(self) -> Self:
        loop = get_running_loop()
        if self._running < self._limit and self._loop is loop:
            self._running += 1
        else:
            await self._permit(loop)
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.give_back_of(running_loop())  # none where what was left half-way is closed after its loop

    def cost(self, inner: Cost) -> Cost:
        """Return what a call can come to: those before it in the line run in as many rounds as it takes."""
        wait = math.inf if self._max_wait is None else self._max_wait
        if self._queue is not None:
            rounds = math.ceil(self._queue / self._least())
            wait = min(wait, rounds * inner.seconds if rounds else 0.0)
        return Cost(inner.seconds + wait, inner.calls)

    def refusal(self, inner: tuple[Layer, ...]) -> str:
        """Return why it cannot be around these layers: a limit on running calls never works around itself."""
        return around_itself(repr(self)) if any(layer is self for layer in inner) else ""

    def hold(self) -> Held:
        """Return what a stream keeps from its start to its end: the permit."""
        return Held(self)

    def _least(self) -> int:
        """Return how few permits there may ever be."""
        return self._limit

    def _is_idle(self) -> bool:
        return not self._running and not self._line

    async def _permit(self, loop: AbstractEventLoop) -> None:
        """Return with a permit, after a wait where there is none."""
        self._come_from(loop)
        if self._running < self._limit:
            self._running += 1
            return
        if self._queue is not None and len(self._line) >= self._queue:
            raise self._rejected(self._full())
        if not await self._turn(loop):
            raise self._rejected(f"{self._full()}, and this one has waited {self._max_wait:g} s")

    async def _turn(self, loop: AbstractEventLoop) -> bool:
        """Wait in line; return whether there was a permit before the time was up."""
        began = loop.time()
        permit: Future[bool] = loop.create_future()
        self._line[permit] = None
        timer = None if self._max_wait is None else loop.call_later(self._max_wait, self._time_is_up, permit)
        try:
            is_given = await permit
            if is_given:
                emit(LimitWaited(self.name, loop.time() - began))  # inside: a listener may end the program
            return is_given
        except BaseException:
            self._leave(permit)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _time_is_up(self, permit: Future[bool]) -> None:
        if not permit.done():
            self._line.pop(permit, None)
            permit.set_result(False)

    def _leave(self, permit: Future[bool]) -> None:
        """Take what will not be used out of the line, or hand it on if it was given already."""
        self._line.pop(permit, None)
        if permit.done() and not permit.cancelled() and permit.result() and permit.get_loop() is self._loop:
            self._give_back()

    def give_back_of(self, loop: AbstractEventLoop | None) -> None:
        """Give back a permit that was given on ``loop``; those of a loop that has been closed are void."""
        if self._running and loop is not None and self._loop is loop and not loop.is_closed():
            self._give_back()

    def _give_back(self) -> None:
        self._running -= 1
        if self._line:
            self._admit()

    def _admit(self) -> None:
        """Give permits to those who wait, as far as there are any."""
        if self._loop is None or self._loop.is_closed():
            self._line.clear()  # nobody is left to be resumed
        while self._line and self._running < self._limit:
            permit, _ = self._line.popitem(last=False)
            if not permit.done():
                self._running += 1
                permit.set_result(True)

    def _come_from(self, loop: AbstractEventLoop) -> None:
        """Count this loop's calls from now on, unless another one's are under way."""
        if self._loop is loop:
            return
        if self._loop is not None and not self._is_idle():
            if not self._loop.is_closed():
                raise in_use_elsewhere(repr(self), self._loop)
            self._running = 0
            self._line.clear()
        self._loop = loop

    def _full(self) -> str:
        waiting = len(self._line)
        if self._queue == 0:
            line = "none may wait"
        elif self._queue is None or waiting < self._queue:
            line = f"{waiting} {_wait(waiting)}"
        else:
            line = f"{waiting} {_wait(waiting)}, as many as may"
        return f"{self.name} is full: {self._running} of {self._limit} calls run, {line}"

    def _rejected(self, why: str) -> BulkheadFull:
        emit(LimitRejected(self.name, why, None))
        return BulkheadFull(why, self.name, limit=self._limit, running=self._running, waiting=len(self._line))


class Held:
    """One permit, from entering to leaving, which may be in another task."""

    __slots__ = ("_loop", "_permits")

    def __init__(self, permits: Permits) -> None:
        self._permits = permits
        self._loop: AbstractEventLoop | None = None

    async def __aenter__(self) -> Permits:
        self._loop = get_running_loop()
        return await self._permits.__aenter__()

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._permits.give_back_of(self._loop)


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"
