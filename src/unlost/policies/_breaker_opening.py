"""Why a breaker is open, and what it tells those whom it turns away."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from unlost.errors import BreakerOpen

# uvloop's timers go by whole milliseconds: who waits for as long as the exception says must not come too early.
_TICK: Final = 0.001
_PROBE: Final = 1.0  # seconds: what a call takes that is sent as a probe, or more


@dataclass(frozen=True, slots=True)
class Opening:
    """
    One time of being open, and of being half-open after it.

    Attributes:
        why: What was counted, or what ``trip`` was told.
        since: When it opened, in seconds since 1970.
        until: When the time is up, by the breaker's clock.
        seconds: How long that is in all.
        errors: The latest failures, oldest first.
        cause: What tipped it, if it was an error.
    """

    why: str
    since: float
    until: float
    seconds: float
    errors: tuple[BaseException, ...]
    cause: BaseException | None

    def is_over(self, now: float) -> bool:
        """Whether the time is up, to the millisecond."""
        return now >= self.until - _TICK

    def rejection(self, name: str, now: float) -> BreakerOpen:
        """Return what to raise: a new object each time, so that nothing gathers on it."""
        left = self.until - now
        if left > 0:
            error = BreakerOpen(name, self.why, self.since, left, self.errors)
        else:  # a probe runs, and may close it any moment: to ask at once, again and again, is no use
            why = f"half-open, its probes are under way: {self.why}"
            error = BreakerOpen(name, why, self.since, min(_PROBE, self.seconds), self.errors)
        error.__cause__ = self.cause
        return error


NEVER_OPENED: Final = Opening("", 0.0, inf, inf, (), None)
