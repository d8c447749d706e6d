"""
How many calls may be under way on a key of whose limits nothing is known yet.

A hundred at once, so that a run of the default concurrency is not held back at all; twice as many once all of these
were answered, or after a second, whichever comes first; and so on. It is TCP's slow start (RFC 5681, 3.1) from a larger
window: whoever comes with 500 calls at once to a service that allows 50 learns of it from a hundred refusals, not from
450, and a job that takes 50 ms reaches 500 at once after a tenth of a second.
"""

from __future__ import annotations

import math
from typing import Final

FIRST: Final = 100
"""Calls that may be under way at once from the beginning."""

_ENOUGH: Final = 10_000  # whoever bears so many is not going to be surprised by more
_DOUBLING: Final = 1.0  # seconds


class SlowStart:
    """
    The window of a key before its first refusal.

    Args:
        now: When its first call starts.

    Attributes:
        window: How many calls may be under way.
    """

    __slots__ = ("_began", "_left", "window")

    def __init__(self, now: float) -> None:
        self.window: float = FIRST
        self._left = FIRST
        self._began = now

    def answered(self) -> None:
        """A call was answered."""
        self._left -= 1
        if self._left <= 0:
            self._double()

    def opens_at(self) -> float:
        """Return when time alone lets more calls start."""
        return self._began + _DOUBLING * math.log2(2 * self.window / FIRST)

    def look(self, now: float) -> None:
        """Open the window as far as the time has come for it."""
        while self.opens_at() <= now:
            self._double()

    def _double(self) -> None:
        self.window = math.inf if self.window >= _ENOUGH else self.window * 2
        self._left = int(min(self.window, _ENOUGH))
