"""How long a process that performs one item may be silent before it hangs: what no timeout inside of it can cut."""

from __future__ import annotations

from unlost.batch.options._durations import spelled
from unlost.batch.options._options import Options

LONGEST_WAIT = 3700.0
"""Seconds between two attempts: the longest Retry-After that is honoured, and the longest backoff."""

LEAST_GRACE = 1.0
"""Seconds over a limit before it counts: the timeout inside has to have had its chance."""


class Limit:
    """
    By when something has to be heard, from what was heard so far.

    Args:
        options: Timeout and deadline, and the grace over them. Without either an item may take for ever.

    Attributes:
        due: When it is too late, by the clock that the methods are told; None: never.
        why: What to say then.
    """

    def __init__(self, options: Options) -> None:
        self.due: float | None = None
        self.why = ""
        self._timeout = options.timeout
        self._deadline = options.deadline
        self._grace = max(options.grace, LEAST_GRACE)
        self._last: float | None = None  # the end of the whole item

    def began(self, now: float) -> None:
        """The item started."""
        if self._deadline is not None:
            self._last = now + self._deadline + self._grace
        self._set(None, "")

    def attempt(self, now: float) -> None:
        """An attempt started."""
        if self._timeout is None:
            self._set(None, "")
        else:
            self._set(now + self._timeout + self._grace, f"timeout {spelled(self._timeout)}")

    def raised(self, now: float) -> None:
        """An attempt ended; the next one may be waited for."""
        self._set(None if self._timeout is None else now + LONGEST_WAIT + self._grace, "the wait after an attempt")

    def ended(self, now: float) -> None:
        """The outcome is known; what is left is to leave the target, and to exit."""
        self._last = None
        self._set(now + self._grace, "its outcome was known")

    def _set(self, due: float | None, what: str) -> None:
        if self._last is not None and (due is None or self._last < due):
            assert self._deadline is not None
            due, what = self._last, f"deadline {spelled(self._deadline)}"
        self.due = due
        self.why = f"it did not end by itself ({what}, and {spelled(self._grace)} of grace)"
