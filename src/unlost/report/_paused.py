"""What is said of a run that was held, or stopped by itself."""

from __future__ import annotations

from collections.abc import Iterator

from unlost.batch import Paused
from unlost.report._text import clock_time, one_line


def paused_line(paused: Paused) -> Iterator[str]:
    """Yield a line for the rests and outages of a run, where there were any."""
    parts = [f"{count:,} {_plural(word, count)}" for word, count in _counted(paused) if count]
    if parts:
        came = "1 call came back later" if paused.refused == 1 else f"{paused.refused:,} calls came back later"
        yield f"held for {clock_time(paused.seconds)}: {' and '.join(parts)}; {came}, which is no attempt"


def why_line(why: str | None) -> Iterator[str]:
    """Yield a line for why the last opening stopped by itself, if it did."""
    if why is not None:
        yield f"stopped by itself: {one_line(why)}"


def _counted(paused: Paused) -> tuple[tuple[str, int], ...]:
    return ("rest that a server asked for", paused.rests), ("outage", paused.outages)


def _plural(word: str, count: int) -> str:
    first, space, more = word.partition(" ")
    return word if count == 1 else f"{first}s{space}{more}"
