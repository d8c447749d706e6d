"""Where the tracker of an exception hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from concurrent import futures
from itertools import islice
from typing import Any, Final

from unlost._core.hooks import spawned_of
from unlost.errors import attached, recall, remember
from unlost.errors._private import KEY as _OURS
from unlost.errors._private import remember_all
from unlost.observe.watch._alive import alive, inherited
from unlost.observe.watch._collector import Collector
from unlost.observe.watch._life import Life
from unlost.observe.watch._tracker import Tracker
from unlost.observe.watch._waiters import CHAINED, Waiter

KEY: Final = "tracker"
_LIFE: Final = "life"

attributes_of = BaseException.__dict__["__dict__"].__get__
"""Return the exception's own ``__dict__``; not through a function of Python, as this is asked for each event."""

MOST_LEAVES: Final = 1_000
_LONGEST_CHAIN: Final = 10

# asyncio gives a concurrent future one of its own in the place of these
_REMADE: Final = (futures.CancelledError, futures.InvalidStateError)

_members_of = BaseExceptionGroup.__dict__["exceptions"].__get__


def tracker_of(error: BaseException) -> Tracker | None:
    """Return the tracker of an exception that was looked at before."""
    found = recall(error, KEY)
    return found if type(found) is Tracker else None


def tracked(error: BaseException, collector: Collector) -> Tracker:
    """Return the tracker of an exception; it gets one if it has none."""
    tracker = tracker_of(error)
    if tracker is None or tracker.is_over:
        tracker = Tracker(collector, error)
        remember_all(error, {KEY: tracker, _LIFE: Life(tracker)})
    return tracker


def leave(error: BaseException, task: asyncio.Task[Any], waiter: Waiter, collector: Collector) -> None:
    """Note that an error left a task, and who waits for that. Any: whatever the task returns."""
    name, spawned = task.get_name(), spawned_of(task)
    for leaf in leaves_of(error):
        if inherited:
            _disown(leaf)
        tracker = tracked(leaf, collector)
        tracker.left(name, spawned, waiter, leaf, id(task))
        if waiter is CHAINED and type(leaf) in _REMADE:
            tracker.converted()


def is_inherited(error: BaseException) -> bool:
    """Say whether an exception was there before this process was forked, and has not left a task since."""
    return bool(inherited) and id(tracker_of(error)) in inherited


def leave_to_parent() -> None:
    """Give no verdict on what is there now, in a process that was just forked."""
    inherited.update(alive)


def _disown(error: BaseException) -> None:
    """Let an exception that leaves a task of this process have evidence of its own."""
    tracker = tracker_of(error)
    if tracker is not None and id(tracker) in inherited:
        tracker.is_over = True


def follow(group: BaseException) -> None:
    """Let a group be seen to hold what is followed, without a fate of its own."""
    if _OURS not in attributes_of(group):
        remember(group, KEY, None)


def leaves_of(error: BaseException) -> Iterable[BaseException]:
    """
    Return the exceptions that share one fate: those that a group is made of, and what travels with each of them.

    A group has none of its own. What travels with an error is what was attached to it (``unlost.attached``): whoever
    has that error has it too.
    """
    if isinstance(error, BaseExceptionGroup):
        return islice(_leaves(error), MOST_LEAVES)
    if _OURS in attributes_of(error) and attached(error):
        return islice(_leaves(error), MOST_LEAVES)
    return (error,)


def beneath(error: BaseException) -> Iterator[BaseException]:
    """Yield what an exception came up from: its cause, and its contexts, the nearest first."""
    if error.__cause__ is not None and error.__cause__ is not error.__context__:
        yield error.__cause__
    context = error.__context__
    for _ in range(_LONGEST_CHAIN):
        if context is None:
            return
        yield context
        context = context.__context__


def _leaves(root: BaseException) -> Iterator[BaseException]:
    waiting, seen = [root], {id(root)}
    while waiting:
        one = waiting.pop()
        under = _members_of(one) if isinstance(one, BaseExceptionGroup) else attached(one)
        new = [each for each in under if id(each) not in seen]
        seen.update(map(id, new))
        waiting.extend(reversed(new))
        if not isinstance(one, BaseExceptionGroup):
            yield one
