"""
What stands between the workers of a stream and its reader.

To the pool it is both ends: the source, which gives no item while too many finished outcomes wait, and the place to put
outcomes. Nobody waits for the reader with an outcome in hand, so an outcome is in here as soon as its item has ended.
"""

from __future__ import annotations

from collections import Counter
from typing import Generic, TypeVar

from unlost._core._outcome import Outcome
from unlost._core._outcomes import Outcomes
from unlost._core._waiters import Waiters
from unlost._core.pool._source import WAIT, Mark, Source

S = TypeVar("S")
T = TypeVar("T")


class Buffer(Generic[S, T]):
    """
    Finished outcomes, in the order of their end or of their inputs.

    While ``size`` of them wait, none is started; what already runs can add up to ``limit - 1`` more. In input order
    this cannot get stuck: the one whose turn it is runs already, since items are started in their order.

    Attributes:
        arrived: The reader waits here.
        counts: How many outcomes of each type there were so far.
    """

    def __init__(self, source: Source[S], size: int, ordered: bool) -> None:
        self.arrived = Waiters()
        self.counts: Counter[type] = Counter()
        self.needs_feeding = source.needs_feeding
        self.feed = source.feed
        self._source = source
        self._size = size
        self._ordered = ordered
        self._places = Waiters()
        self._waiting: dict[int, Outcome[T]] = {}  # by turn
        self._arrivals = 0
        self._turn = 0

    def put(self, outcome: Outcome[T]) -> None:
        """Add an outcome; wake the reader if it is the next one."""
        turn = outcome.index if self._ordered else self._arrivals
        self._arrivals += 1
        self._waiting[turn] = outcome
        self.counts[type(outcome)] += 1
        if turn == self._turn:
            self.arrived.wake_all()

    def take(self) -> Outcome[T] | None:
        """Return the next outcome if it is there; let those start who had no place to put theirs."""
        outcome = self._waiting.pop(self._turn, None)
        if outcome is not None:
            self._turn += 1
            if len(self._waiting) < self._size:
                self._places.wake_all()  # what runs takes no place: one place lets all of them start
        return outcome

    def take_all(self) -> Outcomes[T]:
        """Return all that is left, in input order."""
        rest = Outcomes(self._waiting.values())
        rest.sort_by_input()
        self._waiting.clear()
        return rest

    def pull(self) -> S | Mark:
        """Return an item if there is a place for its outcome."""
        if len(self._waiting) >= self._size:
            return WAIT
        return self._source.pull()

    async def ready(self) -> None:
        """Wait for a place or, where there is one, for the source."""
        if len(self._waiting) >= self._size:
            await self._places.wait()
        else:
            await self._source.ready()

    def stop(self) -> None:
        """Let go of everybody who waits, for a place or for the source."""
        self._source.stop()
        self._places.wake_all()
