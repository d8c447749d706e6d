"""Errors that somebody said are not wanted: counted, never just dropped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from unlost._core._events import Event, emit
from unlost._core._outcome import Cancelled, Failure, Outcome

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


def count_forgiven(outcome: Failure | Cancelled, reason: str) -> None:
    """Mark ``outcome`` as not wanted, and count it, once; the same error out of another operation is another one."""
    if not is_forgiven(outcome):
        outcome.forgiven = reason
        _counts[reason if reason in _counts or len(_counts) < _REASONS else "(others)"] += 1
        emit(Forgiven(outcome.error, reason))


def is_forgiven(outcome: Outcome[Any]) -> bool:  # Any: of every result
    """Tell whether somebody said that ``outcome`` is not wanted."""
    return bool(getattr(outcome, "forgiven", ""))


def forgiven() -> dict[str, int]:
    """Return how many errors were forgiven in this process so far, by reason."""
    return dict(_counts)
