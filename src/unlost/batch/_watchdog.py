"""
A thread that notices when the event loop does not turn, and where the user's code is meanwhile.

The loop has a timer that notes when it fires, 20 times a second; what it is late by is time for which the loop did
not turn. From ``NOTICED`` seconds on that counts as blocked. As often the thread wakes, and while the timer is overdue
it looks at the loop's stack: the time is shared among the innermost places in the user's code that it has seen.

What is taken off again:
    - The whole process was stopped or suspended (SIGSTOP): then this thread did not run either, nor was a processor
      used. Where it is late but a processor was used, somebody held the GIL, and that counts: a regular expression
      that takes seconds is the plainest case.
    - What the thread itself needed, a garbage collection in it among that.
    - A debugger on the loop's stack.
    - The loop waits for events, and nobody wakes it in time: other processes have the processors.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, TypeAlias

from unlost._core import cpu_time, monotonic
from unlost.batch._blocked import Blocked
from unlost.batch._progress import Progress
from unlost.observe import Running, is_debugged, running_at

INTERVAL: Final = 0.05
"""Seconds between two firings of the timer, and that the thread sleeps at a time."""

NOTICED: Final = 0.2
"""Seconds late from which on a block counts: it lasted so long, or by up to an interval longer."""

_OVERDUE: Final = 1.5 * INTERVAL
_SHOWN: Final = 10
_TURN: Final = asyncio.BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]  # a private method

_Function: TypeAlias = tuple[str, str, "str | None"]


@contextmanager
def watched(progress: Progress, own: Collection[str]) -> Iterator[None]:
    """
    Keep ``progress.blocked`` up to date while the block runs, for the running event loop.

    Args:
        own: Top-level packages that are the user's code wherever they are installed.
    """
    pulse = _Pulse(asyncio.get_running_loop())
    watchdog = _Watchdog(pulse, progress, own)
    thread = threading.Thread(target=watchdog.watch, name="unlost watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        pulse.stop()
        watchdog.stopped.set()
        thread.join()


class Tally:
    """The time that a loop was blocked, by place; no thread and no clock is in it."""

    def __init__(self) -> None:
        self._total = 0.0
        self._functions: dict[_Function, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        self._seen: list[tuple[Running, float]] = []

    def saw(self, place: Running, seconds: float) -> None:
        """While it did not turn, the loop was there, for so long since the last look."""
        self._seen.append((place, seconds))

    def turned(self, late: float) -> bool:
        """
        The loop has turned, so many seconds later than it should have.

        Returns:
            Whether that was the end of a block, which now counts.
        """
        seen, self._seen = self._seen, []
        if late < NOTICED:
            return False
        self._total += late
        weight = sum(seconds for _, seconds in seen) or 1.0
        for place, seconds in seen:
            self._functions[place.file, place.function, place.entered][place.line] += late * seconds / weight
        return True

    def blocked(self) -> Blocked:
        """Return the sums; a function stands with the line at which it was longest."""
        sums = sorted(self._functions.items(), key=lambda item: -sum(item[1].values()))
        return Blocked(self._total, tuple((_spelled(*item), sum(item[1].values())) for item in sums[:_SHOWN]))


def ran(slept: float, cpu: float) -> float:
    """
    Return how much of a sleep the process was there for: all of it, if it was not longer than it should have been.

    Args:
        slept: Seconds that the sleep took.
        cpu: Seconds of processor that the process used meanwhile.
    """
    return slept if slept < 2 * INTERVAL else min(slept, cpu + INTERVAL)


class _Pulse:
    """
    The timer on the loop.

    Attributes:
        beat: When it fired last.
        late: How late each firing was that the thread has not looked at yet.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.beat = monotonic()
        self.late: deque[float] = deque()
        self._loop = loop
        self._timer = loop.call_later(INTERVAL, self._fire)

    def stop(self) -> None:
        """Note how late it is now, and fire no more."""
        self._note()
        self._timer.cancel()

    def _fire(self) -> None:
        self._note()
        self._timer = self._loop.call_later(INTERVAL, self._fire)

    def _note(self) -> None:
        now = monotonic()
        self.late.append(now - self.beat - INTERVAL)
        self.beat = now


class _Watchdog:
    """Attributes: stopped: Set to end ``watch``."""

    def __init__(self, pulse: _Pulse, progress: Progress, own: Collection[str]) -> None:
        self.stopped = threading.Event()
        self._thread = threading.get_ident()
        self._pulse = pulse
        self._progress = progress
        self._own = own
        self._tally = Tally()
        self._excused = 0.0

    def watch(self) -> None:
        """In the thread: watch until stopped."""
        woke = monotonic()
        while not self.stopped.is_set():
            asleep, cpu = monotonic(), cpu_time()
            self.stopped.wait(INTERVAL)
            own_time, woke = asleep - woke, monotonic()
            slept = woke - asleep
            there = ran(slept, cpu_time() - cpu)
            self._look(woke, there, excused=own_time + slept - there)

    def _look(self, now: float, seconds: float, *, excused: float) -> None:
        self._excused += excused
        overdue = now - self._pulse.beat >= _OVERDUE
        if self._pulse.late:
            self._turned()
            self._excused = excused if overdue else 0.0  # it fired, and then all stood still, in one and the same sleep
        if overdue:
            self._see(seconds)

    def _see(self, seconds: float) -> None:
        frame = sys._current_frames().get(self._thread)
        try:
            if frame is None or _waits(frame) or is_debugged(frame):
                self._excused += seconds
            else:
                self._tally.saw(running_at(frame, self._own), seconds)
        finally:
            del frame  # it holds what the loop's stack holds

    def _turned(self) -> None:
        late = 0.0
        while self._pulse.late:
            one = self._pulse.late.popleft()
            late += one if one >= NOTICED else 0.0
        if self._tally.turned(late - self._excused):
            self._progress.blocked = self._tally.blocked()


def _waits(frame: FrameType) -> bool:
    """Say whether it is the loop itself that waits there, and no call of the user's such as ``subprocess.run``."""
    above = frame.f_back
    return above is not None and above.f_code is _TURN and frame.f_code.co_filename == selectors.__file__


def _spelled(function: _Function, lines: dict[int, float]) -> str:
    file, name, entered = function
    return str(Running(file, name, max(lines, key=lambda line: lines[line]), entered))
