"""One watching of a process, from its start to its end."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import Any, Final

from unlost._core._monitoring import monitor_errors, stop_monitoring
from unlost._core.hooks import Spot
from unlost.errors import UsageError
from unlost.observe.watch._callback import drops_at
from unlost.observe.watch._collector import Collector
from unlost.observe.watch._futures import Futures
from unlost.observe.watch._held import finish_held
from unlost.observe.watch._monitor import FORMATS, NOBODYS, SUPPRESS, Monitor
from unlost.observe.watch._pythons import is_pythons
from unlost.observe.watch._tracked import beneath, leave, leaves_of, tracked, tracker_of
from unlost.observe.watch._tracker import Tracker
from unlost.observe.watch._unfollowed import finish_unfollowed
from unlost.observe.watch._verdict import Verdict
from unlost.observe.watch._waiters import Waiter, waiter_of

MONITORING: Final = "monitoring"
BOUNDARY: Final = "boundary"

_OLD: Final = (
    "Python before 3.12 does not tell which handler takes an exception: "
    "only errors that leave a task are followed, and whether one was handled or swallowed inside of it is unknown."
)
_TAKEN: Final = (
    "Two other tools have taken the places in sys.monitoring: "
    "only errors that leave a task are followed, and whether one was handled or swallowed inside of it is unknown."
)


class Watch:
    """
    What ``start`` began.

    Attributes:
        collector: Where it goes what is found.
        mode: ``"monitoring"``, or ``"boundary"`` where the interpreter cannot tell who takes an exception.
        why: Why not, in a sentence; empty where it can.
    """

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self._process = os.getpid()
        self._monitor = Monitor(collector)
        self._tool = monitor_errors(
            self._monitor.raised,
            self._monitor.reraised,
            self._monitor.returned,
            (SUPPRESS, FORMATS),
        )
        self.mode = BOUNDARY if self._tool is None else MONITORING
        self.why = "" if self._tool is not None else _OLD if sys.version_info < (3, 12) else _TAKEN

    def hear_loops(self, is_so: bool = True) -> None:
        """
        Rely on ``never_retrieved`` being called when a loop says so, from now on.

        Without that, what became of an error of a task that nobody waited for is unknown.
        """
        self._monitor.hears_loops = is_so

    def collect_into(self, collector: Collector) -> None:
        """Let what is born from now on be for another collector; what was born before stays with its own."""
        self.collector = collector
        self._monitor.collect_into(collector)

    def stop(self) -> None:
        """
        End it, and give the verdict on each exception that somebody still holds: undelivered, if nobody had taken it.

        Collects garbage first, so that what nobody holds gets its own verdict. A second call does nothing.
        """
        global _watch  # one for each process, as there is one interpreter
        if _watch is not self:
            return
        gc.collect()
        _watch = None
        if self._tool is not None:
            stop_monitoring(self._tool)
        self._finish()

    def _finish(self) -> None:
        futures = Futures(self.collector.fault)
        trackers = [one for one in gc.get_objects() if type(one) is Tracker and one.is_of(self.collector)]
        try:
            finish_held(trackers, lambda: futures, self.collector.fault)
            if os.getpid() == self._process:  # in a forked one nobody knows which errors were there before
                finish_unfollowed(futures, self.collector)
        except Exception as fault:  # counted: a program has to end  # noqa: BLE001
            self.collector.fault(fault)


def start(collector: Collector | None = None) -> Watch:
    """
    Begin to watch what becomes of the exceptions of this process, in all its threads, until ``Watch.stop``.

    Raises:
        UsageError: It is being watched already.
    """
    global _watch  # as above
    if _watch is not None:
        raise UsageError("This process is being watched already. Stop that first: watch.stop().")
    _watch = Watch(Collector() if collector is None else collector)
    return _watch


def reported(error: BaseException, how: str) -> None:
    """Note that somebody was told of an error, ``how`` in a word, and so of its members, causes and contexts."""
    if (watch := _watch) is None:
        return
    try:
        if isinstance(error, NOBODYS):
            return
        watch.collector.report(how)
        for leaf in leaves_of(error):
            tracked(leaf, watch.collector).settle(Verdict.REPORTED)
        for under in beneath(error):
            for leaf in leaves_of(under):
                if (tracker := tracker_of(leaf)) is not None:
                    tracker.settle(Verdict.REPORTED)
    except Exception as fault:  # counted: whoever reports has a program to run  # noqa: BLE001
        watch.collector.fault(fault)


def is_reported(error: BaseException) -> bool:
    """Say whether somebody was told of an error, and so of all of its members."""
    trackers = [tracker_of(leaf) for leaf in leaves_of(error)]
    return all(tracker is not None and tracker.state is Verdict.REPORTED for tracker in trackers)


def never_retrieved(error: BaseException, by: str = "") -> None:
    """Note that the task or future of an error died, and nobody had asked; ``by`` is what had made it, in words."""
    if (watch := _watch) is None:
        return
    try:
        for leaf in leaves_of(error):
            if not isinstance(leaf, NOBODYS):
                tracker = tracked(leaf, watch.collector)
                if tracker.is_left_to_asyncio:
                    watch.collector.reports["asyncio"] += 1
                    tracker.settle(Verdict.REPORTED)
                else:
                    tracker.lost(leaf, by)
    except Exception as fault:  # as above  # noqa: BLE001
        watch.collector.fault(fault)


def left_task(error: BaseException, task: asyncio.Task[Any], waiter: Waiter | None = None) -> None:
    """Note that an error left a task that ends, and who waits for that, unless its callbacks still tell it."""
    if (watch := _watch) is None:  # Any, above: whatever the task returns
        return
    try:
        if not isinstance(error, NOBODYS):
            leave(error, task, waiter_of(task) if waiter is None else waiter, watch.collector)
    except Exception as fault:  # as above  # noqa: BLE001
        watch.collector.fault(fault)


def left_to_asyncio(error: BaseException) -> None:
    """Note that asyncio was made to say that nobody asked for an error, so that this is how it is reported."""
    if (watch := _watch) is None:
        return
    try:
        for leaf in leaves_of(error):
            if not isinstance(leaf, NOBODYS):
                tracked(leaf, watch.collector).is_left_to_asyncio = True
    except Exception as fault:  # as above  # noqa: BLE001
        watch.collector.fault(fault)


def held_by(error: BaseException, by: str, submitted: Spot | None = None) -> None:
    """
    Note that an error was put where somebody may ask for it, by whom; it is lost if nobody does.

    Args:
        error: What was put there.
        by: In words.
        submitted: Where the call was handed in that raised it.
    """
    if (watch := _watch) is None:
        return
    try:
        for leaf in leaves_of(error):
            if not isinstance(leaf, NOBODYS):
                tracker = tracked(leaf, watch.collector)
                if submitted is not None:
                    tracker.submitted(submitted)
                tracker.handed_over(Waiter(by, Verdict.LOST), leaf)
    except Exception as fault:  # as above  # noqa: BLE001
        watch.collector.fault(fault)


def owed(error: BaseException, who: str) -> None:
    """
    Note that an error left the application, to ``who`` runs that: it is lost if nobody is told of it.

    What becomes of it further out counts all the same where that is the application's own code.
    """
    if (watch := _watch) is None:
        return
    try:
        for leaf in leaves_of(error):
            if not isinstance(leaf, NOBODYS):
                tracked(leaf, watch.collector).owe(who, leaf)
    except Exception as fault:  # as above  # noqa: BLE001
        watch.collector.fault(fault)


def taken(error: BaseException) -> None:
    """Note that somebody asked for an error that was put somewhere: what comes of it now is not known."""
    if (watch := _watch) is None:
        return
    try:
        for leaf in leaves_of(error):
            if (tracker := tracker_of(leaf)) is not None:
                tracker.asked_for()
    except Exception as fault:  # as above  # noqa: BLE001
        watch.collector.fault(fault)


def taken_up(error: BaseException, where: Spot) -> None:
    """Note that a task was asked for an error, where, that something else had taken: it may be told there."""
    if (watch := _watch) is None:
        return
    try:
        if is_pythons(where[0].co_filename):
            return
        for leaf in leaves_of(error):
            tracker = tracker_of(leaf)
            if tracker is not None and tracker.state is Verdict.ABSORBED and not drops_at(where):
                tracker.asked_for()
    except Exception as fault:  # as above  # noqa: BLE001
        watch.collector.fault(fault)


_watch: Watch | None = None
