"""
What somebody still holds when the watching ends: a task that was never asked, or what came out of one.

Only the first is undelivered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from unlost.observe.watch._each import Fault, for_each
from unlost.observe.watch._futures import Futures
from unlost.observe.watch._tracked import leaves_of, tracker_of
from unlost.observe.watch._tracker import Tracker


def finish_held(trackers: Iterable[Tracker], futures: Callable[[], Futures], fault: Fault) -> None:
    """
    Give the verdict on exceptions that somebody still holds.

    Args:
        trackers: Theirs.
        futures: Returns all there are; called where they are needed.
        fault: Called with an error of our own; the others have their verdicts all the same.
    """
    held = list(trackers)
    unasked: set[int] = set()

    def note_unasked(error: BaseException) -> None:
        for leaf in leaves_of(error):
            if (tracker := tracker_of(leaf)) is not None:
                unasked.add(id(tracker))

    if any(map(Tracker.may_be_unasked, held)):
        for_each(futures().errors.values(), note_unasked, fault)
    for_each(held, lambda tracker: tracker.finish(is_held=True, is_unasked=id(tracker) in unasked), fault)
