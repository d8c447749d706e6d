"""What is said of an event loop that did not turn."""

from __future__ import annotations

from collections.abc import Iterator

from unlost.batch import Blocked
from unlost.report._text import clock_time, one_line

_HALF = 0.5


def blocked_line(blocked: Blocked | None, seconds: float | None) -> Iterator[str]:
    """Yield a line for how long the loop was blocked of so many seconds, where that is worth one."""
    if blocked is None or seconds is None or not blocked.is_notable(seconds):
        return
    yield f"event loop blocked {clock_time(blocked.seconds)} of {clock_time(seconds)}{_where(blocked)}"


def _where(blocked: Blocked) -> str:
    if not blocked.places:
        return ""
    place, longest = blocked.places[0]
    share = "most of it" if longest >= _HALF * blocked.seconds else "longest"
    return f", {share} at {one_line(place)} (await asyncio.to_thread(...) lets the others go on)"
