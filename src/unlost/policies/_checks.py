"""What numbers a policy takes."""

from __future__ import annotations

import math

from unlost.errors import UsageError


def check_count(call: str, name: str, count: object) -> None:
    """Raise ``UsageError`` unless ``count`` is an int of 1 or more."""
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UsageError(f"{call}({name}={count!r}): expected an int of 1 or more. Write {call}({name}=5).")


def check_seconds(call: str, name: str, seconds: object, *, zero: bool = False) -> None:
    """Raise ``UsageError`` unless ``seconds`` is a finite number above 0, or also 0 if ``zero``."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 <= seconds < math.inf or (seconds == 0 and not zero):  # type: ignore[operator]  # a number
        least = "of 0 or more" if zero else "above 0"
        raise UsageError(f"{call}({name}={seconds!r}): expected seconds, a number {least}. Write {call}({name}=10).")
