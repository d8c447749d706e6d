"""
Backoff as pure functions: from the number of the failed attempt to seconds.

The schedules are those of Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). Chance comes in
as an argument, ``uniform(low, high)``: with the same draws comes the same wait.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from unlost._core._seconds import check_seconds

Backoff: TypeAlias = Callable[[int], float]
"""Takes the number of the attempt that failed (from 1), returns the seconds to wait (not negative)."""

Uniform: TypeAlias = Callable[[float, float], float]

# 2**1024 overflows a float; any cap is reached long before
_DOUBLINGS: Final = 1000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Schedule:
    """
    A backoff that knows its bounds.

    Attributes:
        text: How it was written.
        wait: The backoff itself.
        shortest: From the number of the failed attempt to the shortest wait that can follow it, in seconds.
        longest: To the longest.
    """

    text: str
    wait: Backoff
    shortest: Backoff
    longest: Backoff

    def __call__(self, attempt: int) -> float:
        return self.wait(attempt)

    def __repr__(self) -> str:
        return self.text


def bounds(schedule: Backoff, attempt: int) -> tuple[float, float]:
    """
    Return the shortest and the longest wait after an attempt.

    Of a function of the user's nothing is known but what it answers: that is taken for the longest, 0 for the shortest.
    """
    if isinstance(schedule, Schedule):
        return schedule.shortest(attempt), schedule.longest(attempt)
    return 0.0, max(0.0, schedule(attempt))


def constant(seconds: float) -> Backoff:
    """Wait the same time after every failure."""
    check_seconds("constant", "seconds", seconds)
    return _certain(f"constant({seconds!r})", lambda _attempt: seconds)


def linear(step: float = 1.0, cap: float = 30.0) -> Backoff:
    """Wait ``step`` seconds after the first failure, then ``step`` longer each time, ``cap`` seconds at most."""
    check_seconds("linear", "step", step)
    check_seconds("linear", "cap", cap)
    return _certain(f"linear({step!r}, {cap!r})", lambda attempt: min(cap, step * attempt))


def exponential(base: float = 0.1, cap: float = 30.0) -> Backoff:
    """Wait ``base`` seconds after the first failure, then twice as long each time, ``cap`` seconds at most."""
    check_seconds("exponential", "base", base)
    check_seconds("exponential", "cap", cap)

    def wait(attempt: int) -> float:
        return min(cap, base * 2.0 ** min(attempt - 1, _DOUBLINGS))

    return _certain(f"exponential({base!r}, {cap!r})", wait)


def full_jitter(schedule: Backoff, uniform: Uniform = random.uniform) -> Backoff:
    """Wait a uniformly random time between 0 and what ``schedule`` says: callers that failed together part ways."""

    def wait(attempt: int) -> float:
        return uniform(0.0, schedule(attempt))

    def longest(attempt: int) -> float:
        return bounds(schedule, attempt)[1]

    return Schedule(f"full_jitter({schedule!r})", wait, lambda _attempt: 0.0, longest)


def decorrelated_jitter(base: float = 0.1, cap: float = 30.0, uniform: Uniform = random.uniform) -> Backoff:
    """
    Wait a uniformly random time between ``base`` and three times the wait before, ``cap`` seconds at most.

    Brooker's recurrence needs the wait before. Here each call draws the whole chain of waits anew, from the first one
    to that after ``attempt``: every single wait is distributed as in his, and nothing has to be remembered between
    calls. Two waits of one operation are independent of each other, which in his they are not. Of a chain, the last
    1,000 waits are drawn.
    """
    check_seconds("decorrelated_jitter", "base", base)
    check_seconds("decorrelated_jitter", "cap", cap)

    def wait(attempt: int) -> float:
        seconds = base
        for _ in range(min(attempt, _DOUBLINGS)):
            seconds = min(cap, uniform(base, max(base, seconds * 3)))
        return seconds

    def longest(attempt: int) -> float:
        # 3**647 overflows a float; any cap is reached long before
        return min(cap, base * 3.0 ** min(attempt, 600))

    return Schedule(f"decorrelated_jitter({base!r}, {cap!r})", wait, lambda _attempt: min(cap, base), longest)


def _certain(text: str, schedule: Backoff) -> Schedule:
    return Schedule(text, schedule, schedule, schedule)
