"""Restarts: how long each waits, when there are too many, and what is remembered of the crashes before them."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

from unlost._core._backoff import Backoff
from unlost._core._events import Event, emit
from unlost._core._notes import add_note
from unlost._core._receipt import survive
from unlost._core._report import tell
from unlost._core._unheard import count_unheard
from unlost._core.supervision._child import Child
from unlost._core.supervision._rules import RestartWindow
from unlost.errors import SupervisorGaveUp, UsageError, attach_attempts, headline

# A supervisor may live for years.
_KEPT: Final = 100


@dataclass(frozen=True, slots=True)
class ChildRestarted(Event):
    """
    A child of a supervisor ended, and is going to be started again.

    Attributes:
        supervisor: Its name.
        name: The child's.
        error: What it ended with; ``ChildReturned`` for a permanent child that returned.
        attempt: How often in a row it did, counted from 1; 0 where it did while it was stopped with others.
        wait: Seconds until it is started again; longer where it takes longer to stop others before.
    """

    supervisor: str
    name: str
    error: Exception
    attempt: int
    wait: float


class Restarts:
    """
    The restarts of one supervisor.

    Attributes:
        crash_count: How many crashes there were.
    """

    def __init__(self, name: str, window: RestartWindow, backoff: Backoff) -> None:
        self.crash_count = 0
        self._name = name
        self._window = window
        self._backoff = backoff
        self._crashes: deque[Exception] = deque(maxlen=_KEPT)
        self._survived: deque[tuple[Exception, bool]] = deque()

    @property
    def crashes(self) -> tuple[Exception, ...]:
        """The last 100 crashes, oldest first."""
        return tuple(self._crashes)

    @property
    def survived(self) -> tuple[Exception, ...]:
        """The last 100 crashes that a new start got over, oldest first."""
        return tuple(crash for crash, _ in self._survived)

    def remember(self, child: Child) -> None:
        """Take in that ``child`` has crashed, if it has."""
        if (crash := child.crash) is not None:
            self.crash_count += 1
            self._crashes.append(crash)
            add_note(crash, f"child {child.name!r} of supervisor {self._name!r}")

    def wait_after(self, child: Child, crash: Exception, now: float) -> float | None:
        """Return how many seconds ``child`` is to wait for its new start; None if this is one restart too many."""
        if self._window.add(now, crash):
            return None
        if child.ran >= self._window.period:
            child.failures = 0  # it ran stably
        child.failures += 1
        wait = self._backoff(child.failures)
        if not 0 <= wait < math.inf:
            raise UsageError(f"backoff({child.failures}) of supervisor {self._name!r} returned {wait!r}, not seconds.")
        return wait

    def tell(self, child: Child, attempt: int, wait: float) -> None:
        """Tell who listens that ``child`` is started again after its crash."""
        if child.crash is not None:
            child.heard = emit(ChildRestarted(self._name, child.name, child.crash, attempt, wait))
            if not child.heard:  # a service must not be found to have been failing only when it ends
                who = f"supervisor {self._name!r}: child {child.name!r}"
                tell(f"unlost: {who} crashed, starts again in {wait:.3g} s: {headline(child.crash)}\n")

    def get_over(self, child: Child) -> None:
        """Take in that ``child`` is being started again: its crash is survived."""
        if (crash := child.take_crash()) is not None:
            self._survived.append((crash, child.heard))
            if len(self._survived) > _KEPT:
                oldest, was_heard = self._survived.popleft()
                if not was_heard:
                    count_unheard(self._call, 1, oldest)

    def write_receipt(self) -> None:
        """Write what was survived into the receipt of the caller."""
        survive(self._call, self.survived, already_heard=sum(heard for _, heard in self._survived))

    def gave_up(self, message: str, *more: Exception) -> SupervisorGaveUp:
        """Return what has to come out: the crashes of the last ``period``, and ``more``; earlier ones as attempts."""
        crashes = [*self._window.crashes, *more]
        gave_up = SupervisorGaveUp(f"supervisor {self._name!r} {message}", crashes)
        gave_up.name = self._name
        known = set(map(id, crashes))
        attach_attempts(gave_up, tuple(crash for crash in self.survived if id(crash) not in known))
        return gave_up

    def too_often(self, child: Child, crash: Exception) -> str:
        """Say why this supervisor gives up."""
        window, count = self._window, len(self._window.crashes)
        return (
            f"gave up: {count} {'crash' if count == 1 else 'crashes'} within {window.since:.3g} s, where "
            f"{window.intensity} within {window.period:g} s may be followed by a restart; "
            f"the last was child {child.name!r}: {headline(crash)}"
        )

    @property
    def _call(self) -> str:
        return f"unlost.Supervisor({self._name})"
