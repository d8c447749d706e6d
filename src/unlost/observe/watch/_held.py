"""
What somebody still holds when the watching ends: a task that was never asked, or what came out of one.

Only the first is undelivered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unlost.observe.watch._futures import Futures
from unlost.observe.watch._tracked import leaves_of, tracker_of
from unlost.observe.watch._tracker import Tracker


def finish_held(trackers: Iterable[Tracker], futures: Futures | None = None) -> None:
    """
    Give the verdict on exceptions that somebody still holds.

    Args:
        trackers: Theirs.
        futures: All there are; None to look for them where they are needed.
    """
    held = list(trackers)
    unasked: set[int] = set()
    if any(map(Tracker.may_be_unasked, held)):
        unasked = {id(tracker) for tracker in _in_unasked(Futures(_ignored) if futures is None else futures)}
    for tracker in held:
        tracker.finish(is_held=True, is_unasked=id(tracker) in unasked)


def _in_unasked(futures: Futures) -> Iterator[Tracker]:
    for error in futures.errors.values():
        for leaf in leaves_of(error):
            if (tracker := tracker_of(leaf)) is not None:
                yield tracker


def _ignored(_fault: Exception) -> None:
    """Be told of a future that cannot be looked at, which the whole watching counts when it ends."""
