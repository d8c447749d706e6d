"""
A bucket of tokens that fills at a steady rate: arithmetic only, the clock is the caller's.

The token bucket of Turner ("New directions in communications", 1986), in the form of the generic cell rate algorithm
(ITU-T I.371, virtual scheduling): what is kept is not a level that each look adds a little to, and a little error with
it, but when the bucket was last full and what was taken since. Each answer is one product and one sum of these, so that
errors of rounding do not add up: the millionth token comes when it should.
"""

from __future__ import annotations

import math


class Bucket:
    """
    ``burst`` tokens when it is full, and ``rate`` more in each ``per`` seconds.

    In any stretch of ``t`` seconds, at most ``burst + rate * t / per`` tokens are taken, by takers who are not late.
    """

    __slots__ = ("_full_at", "_per", "_rate", "_taken", "burst")

    def __init__(self, rate: float, per: float, burst: float) -> None:
        self.burst = burst
        self._rate = rate
        self._per = per
        self._full_at = -math.inf
        self._taken: float = 0

    def take(self, tokens: float, now: float, late: float = 0.0) -> bool:
        """
        Take so many tokens if they are there.

        Args:
            tokens: Above 0 and at most ``burst``; False for all others.
            now: The time.
            late: Up to how many seconds ago the taker may have been due without the bucket being any fuller: what it
                gains by being served late is not spilled.
        """
        if not 0 < tokens <= self.burst or self.due(tokens) > now:
            return False
        # below, not at: a taker that comes just when the bucket is full leaves it where it was, and rounds nothing
        if self._full_at + self._taken * self._per / self._rate < now - late:
            self._full_at = now - late
            self._taken = 0
        self._taken += tokens
        return True

    def due(self, tokens: float) -> float:
        """Return when so many will be there, if nobody takes any before."""
        return self._full_at + (self._taken + tokens - self.burst) * self._per / self._rate

    def give_back(self, tokens: float) -> None:
        """Put back what was taken and not used; what goes beyond full is spilled."""
        self._taken -= tokens

    def is_full(self, now: float) -> bool:
        return self.due(self.burst) <= now
