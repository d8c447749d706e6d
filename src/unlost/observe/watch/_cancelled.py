"""
Cancellations that were asked for and taken by a handler which let the task live on.

The evidence hangs in the ``CancelledError``, and dies with that: at the end of the task's step, which holds it, unless
it was kept. Then the task has one turn of its loop to end. One that lives on is told, unless the handler stands in the
task's outermost coroutine and nothing is repeated after it: there may be something to tidy up. A handler whose function
takes the request back (``uncancel``) knows what it does; where another does that further out, as ``timeout`` does, the
cancellation was swallowed all the same.

One that comes up while another is being handled further out is that of something that is tidied up (``stop()`` cancels
a task of its own and waits for it): the task still ends by the one further out, and that is the one that is followed.
"""

from __future__ import annotations

import asyncio
import os
from types import CodeType, FrameType
from typing import Any, Final
from weakref import WeakValueDictionary, ref

from unlost._core import wall
from unlost._core.hooks import Spot, spawned_of
from unlost.errors import forget, recall, remember
from unlost.observe._text import text_of
from unlost.observe.watch._alive import alive
from unlost.observe.watch._collector import Collector
from unlost.observe.watch._during import during
from unlost.observe.watch._finding import ErrorType, Finding
from unlost.observe.watch._sites import origin_of, site_at, site_of, spots_of
from unlost.observe.watch._tracked import leaves_of
from unlost.observe.watch._verdict import Verdict

KEY: Final = "cancellation"


_TYPE: Final = ErrorType("asyncio.exceptions", "CancelledError")
# They make what cancellation is, and count it by rules of their own.
_MAKERS: Final = tuple(f"{os.sep}{name}{os.sep}" for name in ("asyncio", "anyio", "unlost"))
_COUNTS: Final = frozenset({"uncancel", "cancelling"})


class Cancellation:
    """A request to end, in the hands of a handler, which ends it, or only tidies up (``may_go_on``)."""

    __slots__ = (
        "__weakref__", "_collector", "_during", "_is_tail", "_line", "_spots", "_task", "code", "depth", "frame",
        "is_over", "may_go_on",
    )  # fmt: skip

    def __init__(
        self, task: asyncio.Task[Any], frame: FrameType, line: int, depth: int, loops: bool, collector: Collector
    ) -> None:  # Any: whatever the task returns
        alive.add(id(self))
        self.code = frame.f_code
        self.frame = id(frame)
        self.depth = depth
        self.is_over = False
        self.may_go_on = True
        self._collector = collector
        self._during = during.get()
        self._is_tail = not loops and not task.done() and getattr(task.get_coro(), "cr_frame", None) is frame
        self._line = line
        self._spots: tuple[Spot, ...] = ()
        self._task = ref(task)

    def is_of(self, task: asyncio.Task[Any]) -> bool:  # Any: as above
        """Say whether that is the task which is asked to end."""
        return self._task() is task

    def ends_in(self, error: BaseException) -> None:
        """Take it that the handler ends it, and take down where it was raised."""
        self.may_go_on = False
        self._spots = spots_of(error.__traceback__)

    def _taken(self) -> None:
        task = self._task()
        if self.is_over or self.may_go_on or self._is_tail or task is None or task.done():
            return
        loop = task.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(
                _judge, self._task, self._collector, self.code, (self._line, self._during), self._spots
            )

    def __del__(self) -> None:
        try:
            alive.discard(id(self))
            self._taken()
        except Exception as fault:  # counted: a finalizer has nobody to tell  # noqa: BLE001
            self._collector.fault(fault)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, ("",)


def cancellation_entered(
    error: BaseException, frame: FrameType, line: int, depth: int, loops: bool, collector: Collector
) -> None:
    """Note that a handler which can end it has a cancellation."""
    found = _taken_by(error, frame, line, depth, loops, collector)
    if found is not None and not _knows(frame.f_code):
        found.ends_in(error)


def cancellation_passes(error: BaseException, frame: FrameType, depth: int, collector: Collector) -> None:
    """Note that what tidies up has a cancellation, and may let go of it."""
    _taken_by(error, frame, 0, depth, False, collector)


def cancellation_is_in(group: BaseExceptionGroup[BaseException]) -> None:
    """Note that a group that is raised has it: who takes that one has the cancellation too."""
    if not isinstance(group, ExceptionGroup):
        for leaf in leaves_of(group):
            _end(leaf)


def cancellation_went_on(error: BaseException, code: CodeType, frame: int, depth: int) -> None:
    """Note that the handler let go of it, or of another exception that came up meanwhile."""
    found = recall(error, KEY)
    if type(found) is Cancellation and found.code is code and found.frame == frame and depth <= found.depth:
        _end(error)


def _taken_by(
    error: BaseException, frame: FrameType, line: int, depth: int, loops: bool, collector: Collector
) -> Cancellation | None:
    """Return the evidence; None where nobody asked this task to end, or another handler of it has that request."""
    task = asyncio.current_task() if asyncio._get_running_loop() is not None else None
    if task is None or task.cancelling() == 0:
        return None
    held = _in_hand.get(id(task))
    if held is not None and not held.is_over and held.is_of(task) and recall(error, KEY) is not held:
        return None
    _end(error)
    cancellation = Cancellation(task, frame, line, depth, loops, collector)
    _in_hand[id(task)] = cancellation
    remember(error, KEY, cancellation)
    return cancellation


def _end(error: BaseException) -> None:
    found = recall(error, KEY)
    if type(found) is Cancellation:
        found.is_over = True
        forget(error, KEY)


def _knows(code: CodeType) -> bool:
    return any(maker in code.co_filename for maker in _MAKERS) or not _COUNTS.isdisjoint(code.co_names)


def _judge(
    ended: ref[asyncio.Task[Any]], collector: Collector, code: CodeType, at: tuple[int, object], spots: tuple[Spot, ...]
) -> None:  # Any: as above
    """One turn later: the task ended, or lives on."""
    try:
        task = ended()
        if task is None or task.done():
            return
        line, request = at
        origin = origin_of(task.get_name(), spawned_of(task))
        place = (Verdict.SWALLOWED, id(code), line, KEY)
        if collector.is_told(place):
            collector.hold_back(Verdict.SWALLOWED)
            return
        frames = tuple(site_of(spot) for spot in spots)
        site = site_at(code, line)
        finding = Finding(
            Verdict.SWALLOWED, _TYPE, "", frames, site, "", origin,
            cancellation=True, at=wall(), during=text_of(request), kind="cancelled",
        )  # fmt: skip
        collector.add(finding, place, code)
    except Exception as fault:  # counted: it must not come out of the user's loop  # noqa: BLE001
        collector.fault(fault)


# by the id of the task; what is kept of a request goes with the CancelledError
_in_hand: WeakValueDictionary[int, Cancellation] = WeakValueDictionary()
