"""What is said of pauses where no line is drawn over: that one began, and that the run goes on."""

from __future__ import annotations

from typing import Final

from unlost.cli._facts import next_try
from unlost.report import clock_time, one_line

LASTED: Final = 1.0
"""Seconds that a pause lasts before it is said: a server may ask for a moment's rest every few seconds."""

APART: Final = 10.0
"""Seconds between two such lines at least; a pause that still lasts then is said then."""


class Pauses:
    """Watches the pauses of a run; each that is said is said once when it began and once when it ended."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._said: str | None = None
        self._last = float("-inf")

    def look(self, pause: str | None, until: float | None, now: float) -> str | None:
        """
        Return the line to say now, if there is one.

        Args:
            pause: Why the run pauses; None where it does not.
            until: When that ends, if anybody knows.
            now: By the same clock.
        """
        if pause is None:
            return self._ended(now)
        if self._began is None:
            self._began = now
        due = now - self._began >= LASTED and now - self._last >= APART
        if not due or pause == self._said:
            return None
        self._said, self._last = pause, now
        return f"paused: {one_line(pause)}{next_try(until, now)}"

    def _ended(self, now: float) -> str | None:
        began, said = self._began, self._said
        self._began = self._said = None
        if began is None or said is None:
            return None
        return f"going on after {clock_time(now - began)}"
