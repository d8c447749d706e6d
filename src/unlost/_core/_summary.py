"""Outcomes in a few lines for a reader: how many ended how, and what went wrong most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost.errors import headline, status_of

_LISTED: Final = 5


def summary(outcomes: Sequence[Outcome[Any]]) -> str:  # Any: values are not looked at
    """Return the totals and, below them, a line for each of the most frequent sorts of error with its first case."""
    return "\n".join([totals(Counter(map(type, outcomes))), *_most_frequent(outcomes)])


def totals(counts: Mapping[type, int]) -> str:
    """Say how many ended in which way, from the number of each type of outcome; cancellations only if there are any."""
    ok, failed, cancelled = (counts.get(kind, 0) for kind in (Value, Failure, Cancelled))
    return f"{ok:,} ok · {failed:,} failed" + (f" · {cancelled:,} cancelled" if cancelled else "")


def _most_frequent(outcomes: Iterable[Outcome[Any]]) -> list[str]:  # Any: as above
    by_type: dict[object, list[Failure | Cancelled]] = {}
    for outcome in outcomes:
        if isinstance(outcome, Failure | Cancelled):
            by_type.setdefault((type(outcome.error), status_of(outcome.error)), []).append(outcome)
    ranked = sorted(by_type.values(), key=len, reverse=True)
    lines = [f"{len(same):6,}x  {_described(same[0])}" for same in ranked[:_LISTED]]
    if len(ranked) > _LISTED:
        lines.append(f"         and {len(ranked) - _LISTED} more sorts of error")
    return lines


def _described(first: Failure | Cancelled) -> str:
    if isinstance(first, Cancelled):
        said = f"Cancelled: {first.reason}" if first.reason else "Cancelled"
    else:
        said = headline(first.error, 100)
    key = "" if first.key is None else f" ({first.key})"
    return f"{said}   first: item {first.index}{key}"
