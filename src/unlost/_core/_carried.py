"""What a cancellation carries: whoever absorbs it is the only one who can still look."""

from __future__ import annotations

from asyncio import CancelledError

from unlost._core._outcome import Cancelled, Failure
from unlost._core._outcomes import partial
from unlost.errors import attached


def carried(cancellation: CancelledError) -> tuple[BaseException, ...]:
    """
    Return the failures that travel with ``cancellation``: what cleanup raised, and what failed in calls below.

    A child that was cancelled and whose cleanup raised this way has failed, as one has whose plain ``finally`` raised.
    """
    found: dict[int, BaseException] = {}
    pending: list[BaseException] = [cancellation]
    seen: set[int] = set()
    while pending:
        error = pending.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        if not isinstance(error, CancelledError):
            found[id(error)] = error
            continue
        below = [outcome.error for outcome in partial(error) or () if isinstance(outcome, Failure | Cancelled)]
        pending += reversed([*attached(error), *below])
    return tuple(found.values())
