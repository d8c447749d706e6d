"""
Errors that were never followed, in futures that nobody asked: they were set there, and came out of no task.

When such a future goes, asyncio says that nobody asked. One that is still held when the watching ends is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlost.observe.watch._collector import Collector
from unlost.observe.watch._each import for_each
from unlost.observe.watch._futures import AnyFuture, Futures
from unlost.observe.watch._holders import own_holders_of
from unlost.observe.watch._monitor import NOBODYS
from unlost.observe.watch._tracked import leaves_of, tracked, tracker_of
from unlost.observe.watch._unknown import IN_LIBRARIES
from unlost.observe.watch._verdict import Verdict
from unlost.observe.watch._waiters import Waiter

MOST: Final = 1_000
"""Futures that are looked at for who holds them; what is in more is counted as unknown."""


def finish_unfollowed(futures: Futures, collector: Collector) -> None:
    """
    Give the verdict on errors that were never followed, in futures that nobody asked.

    They are undelivered where the application's own code holds the future, and unknown where only libraries do. What
    another future with the same error was asked for was delivered.
    """
    left: list[AnyFuture] = []
    for_each(futures.unasked, lambda one: left.append(one) if _is_left(one, futures) else None, collector.fault)
    holders = own_holders_of(left[:MOST])

    def finish(future: AnyFuture) -> None:
        holder = holders.get(id(future))
        for error in _unfollowed_in(futures.errors[id(future)]):
            tracker = tracked(error, collector)
            if holder is None:
                tracker.settle(Verdict.UNKNOWN, IN_LIBRARIES)
            else:
                tracker.handed_over(Waiter(f"a future that {holder} holds", Verdict.LOST), error)
            tracker.finish(is_held=True)

    for_each(left, finish, collector.fault)


def _is_left(future: object, futures: Futures) -> bool:
    error = futures.errors[id(future)]
    is_expected = id(future) in futures.awaited or id(error) in futures.asked
    return not is_expected and any(True for _ in _unfollowed_in(error))


def _unfollowed_in(error: BaseException) -> Iterator[BaseException]:
    for leaf in leaves_of(error):
        if tracker_of(leaf) is None and not isinstance(leaf, NOBODYS):
            yield leaf
