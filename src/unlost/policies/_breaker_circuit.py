"""
What a breaker has in it: the state, and what is counted in that state.

Where the state changes, it does so by ``_breaker_table``, under a lock, in one step. What is told to listeners is told
after the lock was released. Of the user's own code, only the ``__str__`` and the headers of an error that tips the
breaker are asked under it: neither may wait for another thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import RLock
from typing import TypeAlias

from unlost._core import Event, emit, monotonic, wall
from unlost.errors import attach_errors, headline, retry_after
from unlost.policies._breaker_events import BreakerClosed, BreakerHalfOpen, BreakerOpened, CallRejected
from unlost.policies._breaker_opening import NEVER_OPENED, Opening
from unlost.policies._breaker_probes import Lease, Probation
from unlost.policies._breaker_rules import Rules, Verdict
from unlost.policies._breaker_table import BreakerState, Happened, state_after
from unlost.policies._timeline import Timeline, running_loop
from unlost.policies._window import CountWindow, Tally, Window

# With what a call was let through: a call that finds another one in its place when it ends comes too late.
Pass: TypeAlias = Window | Lease


@dataclass(frozen=True, slots=True)
class BreakerStatistics:
    """
    How a breaker stands.

    Attributes:
        state: As ``Breaker.state``.
        calls: How many are in the window; 0 unless it is closed.
        failed: How many of these failed.
        slow: How many of these were slow.
        probes: How many are under way.
        openings: How often it opened since it was made.
        rejected: How many calls it turned away since it was made.
    """

    state: BreakerState
    calls: int
    failed: int
    slow: int
    probes: int
    openings: int
    rejected: int


class Circuit:
    """
    The state of one breaker.

    Attributes:
        plain: The window, while the breaker is closed and needs no clock: all that a call which returned has to do is
            what ``answered`` does. None otherwise.
    """

    __slots__ = (
        "_clock",
        "_in_a_row",
        "_lock",
        "_name",
        "_opening",
        "_openings",
        "_probation",
        "_rejected",
        "_rules",
        "_state",
        "_window",
        "plain",
    )

    def __init__(self, rules: Rules, name: str) -> None:
        self._name = name
        self._rules = rules
        self._clock = Timeline()
        # reentrant: a listener, a signal handler or a finalizer of this thread may ask while it is in here
        self._lock = RLock()
        self._openings = self._in_a_row = self._rejected = 0
        self._state = BreakerState.CLOSED
        self._opening = NEVER_OPENED
        self._probation: Probation | None = None
        self._window: Window | None = None
        self.plain: CountWindow | None = None
        self._count()

    def enter(self) -> tuple[Pass, float]:
        """Return what to hand to ``ended``, and when it began; raise ``BreakerOpen`` where no call is let through."""
        began = _loop_time()
        window = self._window  # once, and with no lock: whether it is still the one is asked when the call ends
        if window is not None:
            return window, began
        event = None
        with self._lock:
            if self._window is not None:  # closed since
                return self._window, began
            now = self._clock.now()
            opening = self._opening
            if self._state is BreakerState.OPEN and opening.is_over(now):
                event = self._half_open(opening)
            lease = None if self._probation is None else self._probation.lease(now)
            if lease is None:
                self._rejected += 1
        if lease is None:
            emit(CallRejected(self._name, opening.why))
            raise opening.rejection(self._name, now)
        if event is not None:
            _tell_or_give_back(event, lease)
        return lease, began

    def raised(self, passed: Pass, began: float, error: BaseException) -> None:
        """Take in how a call ended: ``error`` is on its way to the caller."""
        try:
            verdict = self._rules.verdict(error)
        except Exception as rule_error:  # handed on with the call's own error, which stays the one that is raised  # noqa: BLE001
            attach_errors(error, (rule_error,))
            verdict = Verdict.NOTHING
        if verdict is not Verdict.NOTHING:
            self.ended(passed, began, error if verdict is Verdict.FAILED else None)
        elif isinstance(passed, Lease):
            # nothing else, and no lock: it may be the garbage collector who ends the probe
            passed.probation.give_back(passed)

    def ended(self, passed: Pass, began: float, error: BaseException | None) -> None:
        """Take in how a call ended: with a failure, or with an answer."""
        is_slow = self._rules.slow is not None and _loop_time() - began >= self._rules.slow
        if error is None and not is_slow and isinstance(passed, CountWindow):
            self.answered(passed)
            return
        event = None
        with self._lock:
            now = self._clock.now()
            if isinstance(passed, Lease):
                passed.probation.give_back(passed)
                if passed.probation is self._probation:
                    event = self._probe_ended(error, is_slow)
            elif passed is self._window:
                event = self._counted(passed, now, error, is_slow)
        if event is not None:
            emit(event)

    def answered(self, window: CountWindow) -> None:
        """Take in that a call has returned in time: this opens nothing, and takes a lock only after failures."""
        window.calls += 1
        if window.failed:
            with self._lock:
                window.forget()

    def trip(self, why: str, seconds: float, error: BaseException | None) -> None:
        """Open it, however it stands."""
        with self._lock:
            event = self._open(Happened.TRIPPED, why, seconds, () if error is None else (error,), error)
        emit(event)

    def reset(self, why: str) -> None:
        """Close it, however it stands, and forget what was counted."""
        with self._lock:
            was_closed = self._state is BreakerState.CLOSED
            event = self._close(Happened.RESET, why)
        if not was_closed:
            emit(event)

    def state(self) -> BreakerState:
        """Return the state that a call would find now."""
        with self._lock:
            is_over = self._state is BreakerState.OPEN and self._opening.is_over(self._clock.now())
            return BreakerState.HALF_OPEN if is_over else self._state

    def is_idle(self) -> bool:
        """Whether it lets calls through, and no probe is under way."""
        is_probing = self._probation is not None and self._probation.under_way() > 0
        return self.state() is not BreakerState.OPEN and not is_probing

    def statistics(self) -> BreakerStatistics:
        """Return how it stands."""
        with self._lock:
            now = self._clock.now()
            tally = Tally(0, 0, 0) if self._window is None else self._window.tally(now)
            probes = 0 if self._probation is None else self._probation.under_way()
            return BreakerStatistics(
                self.state(), tally.calls, tally.failed, tally.slow, probes, self._openings, self._rejected
            )

    def describe(self) -> str:
        """Return its state, and why, for people."""
        now = self.statistics()
        if now.state is BreakerState.CLOSED:
            return f"closed, {now.failed} of the last {now.calls} calls failed"
        return f"{now.state.value}: {self._opening.why}"

    def _counted(self, window: Window, now: float, error: BaseException | None, is_slow: bool) -> Event | None:
        window.record(now, error, is_slow)
        if error is None and not is_slow:
            return None
        why = self._rules.why_open(window.tally(now))
        if not why:
            return None
        if error is not None:
            why += f", the last with {headline(error)}"
        return self._open(Happened.TOO_MANY_FAILED, why, self._seconds(error), window.errors(), error)

    def _probe_ended(self, error: BaseException | None, is_slow: bool) -> Event | None:
        if error is not None or is_slow:
            why = "a probe failed with " + headline(error) if error is not None else "a probe was slow"
            errors = () if error is None else (error,)
            return self._open(Happened.PROBE_FAILED, why, self._seconds(error), errors, error)
        probation = self._probation
        if probation is None:
            return None
        probation.succeeded += 1
        if probation.succeeded < self._rules.successes:
            return None
        probes = "a probe" if self._rules.successes == 1 else f"{self._rules.successes} probes"
        return self._close(Happened.PROBES_SUCCEEDED, f"{probes} succeeded")

    def _seconds(self, error: BaseException | None) -> float:
        self._in_a_row += 1
        asked = None if error is None else retry_after(error, wall)
        return self._rules.seconds_open(self._in_a_row, asked or 0.0)

    def _open(
        self,
        happened: Happened,
        why: str,
        seconds: float,
        errors: tuple[BaseException, ...],
        cause: BaseException | None,
    ) -> Event:
        self._change(happened)
        until = self._clock.now() + seconds
        self._opening = Opening(why, wall(), until, seconds, errors, cause)
        self._window = self.plain = None
        self._openings += 1
        return BreakerOpened(self._name, why, seconds, cause)

    def _half_open(self, opening: Opening) -> Event:
        self._change(Happened.TIME_WAS_UP)
        self._probation = Probation(self._rules.probes, opening.seconds)
        return BreakerHalfOpen(self._name, f"{opening.seconds:.4g} s are over")

    def _close(self, happened: Happened, why: str) -> Event:
        self._change(happened)
        self._opening = NEVER_OPENED
        self._in_a_row = 0
        self._count()
        return BreakerClosed(self._name, why)

    def _change(self, happened: Happened) -> None:
        self._state = state_after(self._state, happened)
        self._probation = None

    def _count(self) -> None:
        window = self._window = self._rules.window()
        self.plain = window if isinstance(window, CountWindow) and not self._rules.is_timed else None


def _tell_or_give_back(event: Event, lease: Lease) -> None:
    try:
        emit(event)
    except BaseException:  # a listener was interrupted, and the call ends before it began
        lease.probation.give_back(lease)
        raise


def _loop_time() -> float:
    loop = running_loop()
    return monotonic() if loop is None else loop.time()
