"""How fast a run goes now, from the counts that it had: the last ten seconds, or the last ten items."""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW: Final = 10.0
"""Seconds that the rate is taken over."""

FEWEST: Final = 10
"""Items that the rate is taken over where fewer than that ended in the window: it then looks back for longer."""


class Pace:
    """
    Remembers counts for as long as the rate needs them; a few dozen at most.

    Args:
        now: When the run began, in seconds of any clock.
        done: How many items had ended by then.
    """

    def __init__(self, now: float, done: int) -> None:
        self._counts = deque([(now, done)])

    def note(self, now: float, done: int) -> None:
        """Say how many items have ended by now."""
        if done != self._counts[-1][1]:
            self._counts.append((now, done))
        while len(self._counts) > 1 and self._counts[1][0] <= now - WINDOW and self._counts[1][1] <= done - FEWEST:
            self._counts.popleft()

    def recent(self, now: float) -> tuple[int, float]:
        """Return how many items ended in the last so many seconds."""
        first, before = self._counts[0]
        done = self._counts[-1][1]
        if first > now - WINDOW:
            return done - before, now - first
        in_window = done - max(count for moment, count in self._counts if moment <= now - WINDOW)
        if in_window >= FEWEST:
            return in_window, WINDOW
        return min(FEWEST, done - before), now - first

    def left(self, now: float, items: int) -> float | None:
        """Return the seconds that so many items still take at this rate; None where nothing ends."""
        count, seconds = self.recent(now)
        return items * seconds / count if count else None
