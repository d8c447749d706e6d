"""Leaving a context manager as one of several finalizers: what it is shown, and what becomes of what it raises."""

from __future__ import annotations

import math
from asyncio import CancelledError, Task, TimerHandle
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from typing import Any, TypeAlias

from unlost._core._caught import STOPPING, strip_own_frames
from unlost._core._events import emit
from unlost._core._outcome import Value
from unlost._core._reason import asked_now
from unlost._core._report import tell
from unlost._core._stubborn import StillRunning
from unlost._core._where import still_running, where
from unlost._core.cleaning._in_flight import InFlight, names
from unlost._core.cleaning._shielded import GRACE, child_cancelled, shielded
from unlost.errors import DeadlineExceeded

# Any, here and below: what entering gave is not looked at, nor what the task returns
Manager: TypeAlias = AbstractAsyncContextManager[Any, bool | None] | AbstractContextManager[Any, bool | None]


class Entered:
    """Leaves the context manager in the task that entered it, unshielded: what is tied to its task asks for that."""

    __slots__ = ("_manager", "_name", "_task", "_timeout")

    def __init__(self, manager: Manager, task: Task[Any], timeout: float | None, name: str) -> None:
        self._manager = manager
        self._task = task
        self._timeout = timeout
        self._name = name

    async def __call__(self, flight: InFlight) -> None:
        shown = flight.visible()
        trace = None if shown is None else shown.__traceback__
        limit = _Limit(self._task, self._timeout, self._name)
        try:
            is_suppressed = await _exit(self._manager, shown)
        except BaseException as raised:  # handed on: into the flight
            limit.stop()
            if raised is shown:
                raised.with_traceback(trace)
            elif isinstance(raised, GeneratorExit):  # the block itself is closed while it waits
                raise
            else:
                strip_own_frames(raised)
                limit.put(raised, shown, flight)
        else:
            limit.stop()
            if is_suppressed:
                flight.suppress()
        finally:
            del self, flight, shown, trace, limit  # frames of what was raised refer to this one


class EnteredShielded:
    """Leaves the context manager in a shielded child task."""

    __slots__ = ("_manager", "_name", "_timeout")

    def __init__(self, manager: Manager, timeout: float | None, name: str) -> None:
        self._manager = manager
        self._timeout = timeout
        self._name = name

    async def __call__(self, flight: InFlight) -> None:
        shown = flight.visible()
        leave = partial(_exit_or_give_back, self._manager, shown)
        outcome, cancellation = await shielded(leave, timeout=self._timeout, name=self._name)
        try:
            if not isinstance(outcome, Value):
                flight.add(outcome.error, shown)
            elif outcome.value:
                flight.suppress()
            if cancellation is not None:
                flight.add(cancellation)
        finally:
            del flight, shown, leave, outcome, cancellation  # they refer to this frame once they are raised


class _Limit:
    """A limit of time on what runs in the task itself: it can be cancelled, and told of, but not left."""

    __slots__ = ("_began", "_cancelling", "_loop", "_name", "_task", "_timeout", "_timer", "fired")

    def __init__(self, task: Task[Any], timeout: float | None, name: str) -> None:
        self.fired = False
        self._task = task
        self._timeout = math.inf if timeout is None else timeout
        self._name = name
        self._cancelling = task.cancelling()
        self._loop = task.get_loop()
        self._began = self._loop.time()
        self._timer: TimerHandle | None = None
        if self._timeout < math.inf:
            self._timer = self._loop.call_later(max(self._timeout, 0), self._fire)

    def stop(self) -> None:
        """It is over; withdraw the cancellation that was ours."""
        if self._timer is not None:
            self._timer.cancel()
        if self.fired:
            self._task.uncancel()

    def put(self, raised: BaseException, shown: BaseException | None, flight: InFlight) -> None:
        """Put into the flight what an error means: that time was up, that a child was cancelled, or itself."""
        is_released = self._has_released(raised, shown)
        now = self._task.cancelling()
        if self.fired and not isinstance(raised, STOPPING):
            flight.add(self._exceeded(raised), shown, is_released=is_released)
            if isinstance(raised, CancelledError) and now > self._cancelling:
                flight.add(raised, shown)  # one from outside, at the same time
        elif isinstance(raised, CancelledError) and not isinstance(shown, CancelledError) and now == 0:
            flight.add(child_cancelled(self._name, raised), shown)
        else:
            flight.add(raised, shown, is_released=is_released)

    def _has_released(self, raised: BaseException, shown: BaseException | None) -> bool:
        """Tell whether the cancellation that was shown is over: withdrawn, or one that never was the caller's."""
        if not isinstance(shown, CancelledError):
            return False
        now = self._task.cancelling()
        return now < self._cancelling or (now == 0 and names(raised, shown))

    def _fire(self) -> None:
        self.fired = True
        self._task.cancel(asked_now(f"{self._name} of {self._timeout:g} s exceeded", self._name))
        self._timer = self._loop.call_later(GRACE, self._tell)

    def _tell(self) -> None:
        emit(StillRunning(self._task.get_name(), GRACE, where(self._task)))
        tell(f"unlost: {self._name}: {still_running(self._task, GRACE)}\n")

    def _exceeded(self, raised: BaseException) -> DeadlineExceeded:
        errors = () if isinstance(raised, CancelledError) else (raised,)
        exceeded = DeadlineExceeded(self._timeout, self._loop.time() - self._began, self._name, errors)
        exceeded.__cause__ = raised
        return exceeded


def is_asynchronous(manager: object) -> bool:
    """Tell whether it is for ``async with``; one that is for both is taken as that."""
    return hasattr(type(manager), "__aenter__") and hasattr(type(manager), "__aexit__")


async def _exit(manager: Any, shown: BaseException | None) -> bool:  # Any: of one of the two kinds
    kind = None if shown is None else type(shown)
    trace = None if shown is None else shown.__traceback__
    try:
        if is_asynchronous(manager):
            return bool(await manager.__aexit__(kind, shown, trace))
        return bool(manager.__exit__(kind, shown, trace))
    finally:
        del manager, shown, trace  # frames of what was raised refer to this one


async def _exit_or_give_back(manager: Manager, shown: BaseException | None) -> bool:
    """Leave it; that it raised what it was shown means what returning false means."""
    trace = None if shown is None else shown.__traceback__
    try:
        return await _exit(manager, shown)
    except BaseException as raised:  # handed on, unless it is what the caller has already
        if raised is not shown:
            raise
        raised.with_traceback(trace)
        return False
    finally:
        del manager, shown, trace
