"""
From who has an error to the sinks.

Reports are put into one queue, and whoever puts one there empties it, unless another thread is about it: then that one
does it all. So nobody waits for anybody, a sink that reports something itself does not run into itself, and sinks are
called one at a time. What the observer finds is only put there, and the thread is woken: it is found in the middle of
anything.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from functools import partial
from itertools import count
from threading import Lock
from types import TracebackType
from typing import Final, Self

from unlost._core._clock import monotonic
from unlost._core._report import tell
from unlost.errors import UsageError, headline
from unlost.observe._leaving import KEPT, LINE, leaving
from unlost.observe._redact import Redactor
from unlost.observe._text import printable
from unlost.observe.sinks import _open
from unlost.observe.sinks._found import found
from unlost.observe.sinks._gate import Gate
from unlost.observe.sinks._outlet import Outlet
from unlost.observe.sinks._report import Report, redactor_of, report_of
from unlost.observe.sinks._sink import Sink
from unlost.observe.sinks._text import text_of
from unlost.observe.sinks._worker import Worker
from unlost.observe.watch import Finding, Notice

EVERY: Final = 60.0
MOST: Final = 60
GROUPS: Final = 1000
ROOM: Final = 1000
GRACE: Final = 2.0


class Sinks:
    """
    Tells errors to sinks, each bug in full once and then by its count, in bounded memory.

    It is a reporter (``with unlost.report_to(Sinks([...])): ...``), and its ``found`` a listener of the observer's.
    What no sink can take is printed on standard error. It never raises because of a sink.

    Args:
        sinks: One at least.
        every: Seconds after which counts are told of what was held back, while anything is.
        most: Reports told in full, and counts told, in that time; further ones are counted.
        groups: Bugs that are told apart; further ones are counted as one.
        room: Reports that may wait for sinks that wait, and findings for being told; further ones are counted.
        grace: Seconds that ``close`` waits for sinks that wait.
        redact, own: As ``record``'s.
        clock: Seconds, for tests.
    """

    def __init__(
        self,
        sinks: Iterable[Sink],
        *,
        every: float = EVERY,
        most: int = MOST,
        groups: int = GROUPS,
        room: int = ROOM,
        grace: float = GRACE,
        redact: bool | Redactor = True,
        own: Collection[str] = (),
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._outlets = [Outlet(sink) for sink in sinks]
        if not self._outlets:
            raise UsageError("Sinks([]) has no sink to tell. Write Sinks(sinks_of(['logging'])).")
        self._gates = partial(Gate, every, most, groups)
        self._room = room
        self._grace = grace
        self._redact = redact
        self._own = own
        self._clock = clock
        self._is_closed = False
        self._begin()
        _open.opened(self)

    def _begin(self) -> None:
        self._inbox: deque[Report | Finding | Notice] = deque()
        self._unfit = count()  # next() is atomic, += is not
        self._turn = Lock()  # never waited for but in close()
        self._gate = self._gates()
        self._planned: float | None = None  # when the thread wakes up by itself
        self._worker = Worker(self._room, self._turns)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, error: BaseException, what: str) -> None:
        """Report an error that nobody else can be told, as ``report_to`` calls a reporter."""
        self._put(report_of(error, what, redact=self._redact, own=self._own))
        self._empty()
        if self._gate.due != self._planned:
            self._planned = self._gate.due
            self._worker.wake()

    def found(self, finding: Finding | Notice) -> None:
        """Report what the observer found, soon: at any moment, in any thread, without waiting for anything."""
        self._put(finding)
        if not self._worker.wake() and self._is_closed:
            self._empty()

    def flush(self) -> None:
        """Tell the counts of what is held back now, rather than when they are due."""
        self._empty()
        turn = self._turn
        if turn.acquire(timeout=self._grace):
            try:
                self._tell_counts()
            finally:
                turn.release()

    def close(self) -> None:
        """
        Tell everything that is left, and close the sinks; what is reported after is printed.

        It takes ``grace`` seconds at most for the sinks that wait; what these could not take by then is counted.
        """
        if self._is_closed:
            return
        self.flush()
        self._is_closed = True
        for outlet in self._outlets:
            if outlet.waits:
                self._worker.put(partial(self._close, outlet), always=True)
        self._end_worker()
        for outlet in self._outlets:
            if not outlet.waits:
                self._close(outlet)
        _open.closed(self)

    def before_fork(self) -> None:
        """Let no thread of ours run while the process forks."""
        self._worker.pause()

    def after_fork(self) -> None:
        """Go on, in the parent, without a thread: one that ran before the fork is over is warned of (3.12)."""
        self._planned = None
        self._worker.resume()

    def begin_anew(self) -> None:
        """Forget, in a forked child, what the parent will tell."""
        self._begin()
        for outlet in self._outlets:
            outlet.begin_anew()

    def _put(self, item: Report | Finding | Notice) -> None:
        if len(self._inbox) >= self._room:
            next(self._unfit)
        else:
            self._inbox.append(item)

    def _turns(self) -> float | None:
        """Be the thread's part: tell what is queued, and say when counts are due."""
        self._empty()
        self._planned = due = self._gate.due
        return None if due is None else max(0.0, due - self._clock())

    def _empty(self) -> None:
        turn = self._turn  # of this process: a sink may fork
        # asked again after each release: what was put there by one who found it taken must not stay
        while (self._inbox or self._is_due()) and turn.acquire(blocking=False):
            try:
                while self._inbox:
                    self._take(self._inbox.popleft())
                if self._is_due():
                    self._tell_counts()
            finally:
                turn.release()

    def _is_due(self) -> bool:
        return self._gate.due is not None and self._clock() >= self._gate.due

    def _take(self, item: Report | Finding | Notice) -> None:
        try:
            report = item if isinstance(item, Report) else found(item, redact=self._redact)
        except Exception as fault:  # printed in place of what it was about  # noqa: BLE001
            tell(f"unlost: reporting a {type(item).__name__} raised {headline(fault)}\n")
            return
        if self._gate.admits(report, self._clock()):
            self._tell(report)

    def _tell_counts(self) -> None:
        self._gate.add(next(self._unfit), self._clock())
        self._unfit = count()
        for report in self._gate.counts(self._clock()):
            self._tell(report)

    def _tell(self, report: Report) -> None:
        if self._is_closed:
            tell(f"unlost: {text_of(report)}\n")
        for outlet in self._outlets:
            if not outlet.is_closed:
                self._send(outlet, report)

    def _send(self, outlet: Outlet, report: Report) -> None:
        if not outlet.waits:
            self._give(outlet, report)
        elif not self._worker.put(partial(self._give, outlet, report)):
            outlet.unfit += 1
            self._hand_on(outlet, [], report)

    def _give(self, outlet: Outlet, report: Report) -> None:
        is_first = outlet.failures == 0
        failure = outlet.give(report)
        if failure is not None:
            outlet.why = printable(leaving(headline(failure, KEPT), redactor_of(self._redact), LINE))
            told = [self._failure_of(outlet, failure, "failed; the others have what it could not take")]
            self._hand_on(outlet, told if is_first else [], report)

    def _hand_on(self, outlet: Outlet, told: list[Report], report: Report) -> None:
        """Tell the others that a sink failed; they have the report itself, and where there are none, it is printed."""
        others = [one for one in self._outlets if not (one is outlet or one.failing or one.is_closed)]
        for failure in told:
            for outlet in others:
                self._send(outlet, failure)
        if not others:
            tell("".join(f"unlost: {text_of(one)}\n" for one in [*told, report]))

    def _failure_of(self, outlet: Outlet, failure: BaseException, what: str) -> Report:
        return report_of(failure, f"sink {outlet.name} {what}", redact=self._redact, own=self._own)

    def _end_worker(self) -> None:
        end = monotonic() + self._grace
        left = self._worker.stop(self._grace)
        while left and not self._worker.is_busy and monotonic() < end:  # there was no thread to do it any more
            left.pop(0)()
        if left:
            tell(f"unlost: {len(left):,} things that sinks had to do were not done within {self._grace:g} s\n")
            self._tell_left([call.args for call in left if isinstance(call, partial) and call.func == self._give])

    def _tell_left(self, left: list[tuple[Outlet, Report]]) -> None:
        """Print what sinks were not given in time, and no other has: each once, however many it was for."""
        for outlet, _ in left:
            outlet.failing = True
        for outlet, report in {id(report): (outlet, report) for outlet, report in left}.values():
            self._hand_on(outlet, [], report)

    def _close(self, outlet: Outlet) -> None:
        failure = outlet.close()
        if failure is not None:
            tell(f"unlost: {text_of(self._failure_of(outlet, failure, 'could not be closed'))}\n")
        if said := outlet.summary():
            tell(f"unlost: {said}\n")
