"""What a limit says where it is made or used in a way that cannot work."""

from __future__ import annotations

import math
from asyncio import AbstractEventLoop

from unlost.errors import UsageError


def check_queue(call: str, queue: object) -> None:
    """Raise ``UsageError`` unless ``queue`` is None or an int of 0 or more."""
    if queue is not None and (not isinstance(queue, int) or isinstance(queue, bool) or queue < 0):
        raise UsageError(
            f"{call}(queue={queue!r}): expected how many calls may wait, an int of 0 or more, or None for any number. "
            f"Write {call}(..., queue=100)."
        )


def check_number(call: str, name: str, value: object, least: float, most: float = math.inf) -> None:
    """Raise ``UsageError`` unless ``value`` is a finite number, at least ``least`` and at most ``most``."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not least <= value <= most:  # type: ignore[operator]  # a number
        bounds = f"of {least:g} or more" if most == math.inf else f"from {least:g} to {most:g}"
        raise UsageError(f"{call}({name}={value!r}): expected a number {bounds}. Write {call}({name}={least:g}).")


def in_use_elsewhere(limit: str, loop: AbstractEventLoop | None) -> UsageError:
    """Return what to say where a second loop comes while the first one's calls are still under way."""
    return UsageError(
        f"{limit} is in use by another event loop, {loop!r}: it counts the calls of one loop at a time, and that one "
        f"is neither closed nor done with it.\nMake one limit for each loop, or let the other one finish first."
    )


def around_itself(limit: str) -> str:
    """Return why a limit on how many run at once cannot be inside of itself."""
    return (
        f"{limit} is around itself: each call would hold one permit and wait for a second one, and once all permits "
        f"are held that way, no call ever ends. Leave one of the two out."
    )
