"""
A budget of further attempts that many retries share, so that a service in trouble does not get many times its load.

After Finagle's ``RetryBudget`` (a share of the calls, plus so many a second for callers that call seldom) and the retry
throttling of gRPC (proposal A6), which both keep a bucket of tokens. The bucket is bounded: in any stretch of time no
more attempts are made again than ``burst``, plus ``minimum_per_second`` for each second of it, plus ``ratio`` for each
call in it.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

from unlost.errors import UsageError
from unlost.policies._checks import check_seconds
from unlost.policies._timeline import Timeline

# ten tenths are a little less than one
_ROUNDING: Final = 1e-9


class RetryBudget:
    """
    How many further attempts all calls together may make.

        budget = RetryBudget(ratio=0.1)
        fetch = Retry(5, budget=budget)
        store = Retry(3, budget=budget)

    Every call adds ``ratio`` of an attempt, every further attempt takes a whole one. Where none is left, a retry gives
    up at once, and a note on the error says so. It may be shared by loops in several threads.

    Args:
        ratio: Further attempts for each call, from 0: with 0.1, one for ten calls.
        minimum_per_second: Further attempts for each second, from 0, however few calls there are.
        burst: How many can be saved up, at least 1; a new budget is full.

    Raises:
        UsageError: A number is out of its range.
    """

    def __init__(self, ratio: float = 0.1, *, minimum_per_second: float = 1.0, burst: float = 10.0) -> None:
        check_seconds("RetryBudget", "ratio", ratio, zero=True)
        check_seconds("RetryBudget", "minimum_per_second", minimum_per_second, zero=True)
        _check_burst(burst)
        self.ratio = ratio
        self.minimum_per_second = minimum_per_second
        self.burst = burst
        self._left = float(burst)
        self._refilled_at = -1.0
        self._lock = Lock()
        self._timeline = Timeline()

    @property
    def left(self) -> float:
        """How many further attempts are left, as of the last call or attempt."""
        return self._left

    def deposit(self) -> None:
        """Count one call."""
        with self._lock:
            self._left = min(self.burst, self._left + self.ratio)

    def withdraw(self, now: float | None = None) -> bool:
        """
        Take one further attempt; return whether there was one.

        Args:
            now: The time, in seconds of any clock that does not go backwards; by default the loop's, going on from
                where it was where another loop asks.
        """
        with self._lock:
            now = self._timeline.now() if now is None else now
            if self._refilled_at >= 0.0:
                passed = max(0.0, now - self._refilled_at)
                self._left = min(self.burst, self._left + passed * self.minimum_per_second)
            self._refilled_at = max(now, self._refilled_at)
            if self._left < 1.0 - _ROUNDING:
                return False
            self._left = max(0.0, self._left - 1.0)
            return True

    def __repr__(self) -> str:
        return (
            f"RetryBudget(ratio={self.ratio!r}, minimum_per_second={self.minimum_per_second!r}, burst={self.burst!r}) "
            f"with {self._left:.3g} left"
        )


def _check_burst(burst: object) -> None:
    is_number = isinstance(burst, int | float) and not isinstance(burst, bool)
    if not is_number or not burst >= 1:  # type: ignore[operator]  # a number
        raise UsageError(f"RetryBudget(burst={burst!r}): expected a number of 1 or more. Write RetryBudget(burst=10).")
