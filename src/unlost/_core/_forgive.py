"""Saying by name that an error is not wanted: the only way to drop one."""

from __future__ import annotations

from typing import Any

from unlost._core._forgiven import count_forgiven
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core.background._spawned import Spawned
from unlost._core.groups._handle import Handle
from unlost.errors import UsageError


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
        count_forgiven(what, reason)
    elif not isinstance(what, Value):
        raise UsageError(f"forgive() got {what!r}.\nWrite forgive(outcome, reason) or forgive(handle, reason).")
