"""
Backoff as pure functions: from the number of the failed attempt to seconds.

The schedules are those of Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeAlias

Backoff: TypeAlias = Callable[[int], float]
"""Takes the number of the attempt that failed (from 1), returns the seconds to wait (not negative)."""


def constant(seconds: float) -> Backoff:
    """Wait the same time after every failure."""
    return lambda _attempt: seconds


def exponential(base: float = 0.1, cap: float = 30.0) -> Backoff:
    """Wait ``base`` seconds after the first failure, then twice as long each time, ``cap`` seconds at most."""
    # 2**1024 overflows a float; any cap is reached long before
    return lambda attempt: min(cap, base * 2.0 ** min(attempt - 1, 1000))


def full_jitter(schedule: Backoff, uniform: Callable[[float, float], float] = random.uniform) -> Backoff:
    """Wait a uniformly random time between 0 and what ``schedule`` says: callers that failed together part ways."""
    return lambda attempt: uniform(0.0, schedule(attempt))
