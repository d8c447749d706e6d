"""Saying by name that an error is not wanted: the only way to drop one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from unlost._core._events import Event, emit
from unlost._core._handle import Handle
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._spawned import Spawned
from unlost.errors import UsageError, recall, remember

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


def forgive(what: Outcome[Any] | Handle[Any] | Spawned[Any], reason: str) -> None:  # Any: of every result
    """
    Say that a failure is not wanted, and why; it is counted, and ``Forgiven`` tells of it.

    Args:
        what: An outcome; or the handle of a child or background task, which may still run. If it fails then, its group
            goes on and does not raise the failure, which stays among the outcomes; of a background task nothing is
            reported.
        reason: For whoever reads the counts; not empty.

    Raises:
        UsageError: No reason, or neither an outcome nor a handle. A value needs no forgiving: nothing happens.
    """
    if not str(reason or "").strip():
        raise UsageError(f"forgive() got reason={reason!r}.\nWrite forgive(outcome, 'why this error is not wanted').")
    if isinstance(what, Handle | Spawned):
        what.forgiven = what.forgiven or reason
        ended = what.peek()
        if ended is None:
            return  # the group counts it when it comes to that
        what = ended
    if isinstance(what, Failure | Cancelled):
        count_forgiven(what.error, reason)
    elif not isinstance(what, Value):
        raise UsageError(f"forgive() got {what!r}.\nWrite forgive(outcome, reason) or forgive(handle, reason).")


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
