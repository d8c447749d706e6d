"""Errors that somebody said are not wanted: counted, never just dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from unlost._core._events import Event, emit
from unlost.errors import recall, remember

_KEY: Final = "forgiven"
_REASONS: Final = 1000

_counts: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Forgiven(Event):
    """
    An error came up that somebody had said is not wanted.

    Attributes:
        error: The error.
        reason: Why it is not wanted.
    """

    error: BaseException
    reason: str


def count_forgiven(error: BaseException, reason: str) -> None:
    """Mark ``error`` as not wanted; count it once."""
    if recall(error, _KEY) is None:
        remember(error, _KEY, reason)
        _counts[reason if reason in _counts or len(_counts) < _REASONS else "(others)"] += 1
        emit(Forgiven(error, reason))


def is_forgiven(error: BaseException) -> bool:
    """Tell whether somebody said that ``error`` is not wanted."""
    return recall(error, _KEY) is not None


def forgiven() -> dict[str, int]:
    """Return how many errors were forgiven in this process so far, by reason."""
    return dict(_counts)
