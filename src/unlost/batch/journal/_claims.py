"""
Items that may start, claimed a little ahead of need.

A claim costs a commit, so items are claimed before a slot is free for them; but what is claimed and not started when
the process is killed is in doubt as well. So the supply is kept at what starts while one commit is under way: about
one for a slow job, dozens for a fast one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from unlost.batch.journal._journal import Claimed, Journal
from unlost.batch.journal._writer import JournalError, Writer

MOST = 4096
"""Items to have at hand at most, however fast they go: all of them are in doubt after a kill."""


class Claims:
    """
    An async iterator over claimed items; ends when there are no more, or after ``stop``.

    Args:
        journal: Where they are claimed.
        writer: Who claims them.
        concurrency: How many start at first.
        idle: Tells how many slots are free: so many can be claimed at least, since they start at once.

    Raises:
        JournalError: From ``__anext__``, when claims cannot be made durable.
    """

    def __init__(self, journal: Journal, writer: Writer, concurrency: int, idle: Callable[[], int]) -> None:
        self._journal = journal
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._ready: deque[Claimed] = deque()
        self._inbox: deque[tuple[object, JournalError | None]] = deque()
        self._told = asyncio.Event()
        self._concurrency = concurrency
        self._idle = idle
        self._asked = concurrency  # items asked for in the claim under way; 0 where none is
        self._want = 1.0  # how many to have at hand
        self._taken = 0  # since the claim under way was asked for
        self._taking = 0  # 1 where the taking of an item asked for it
        self._streak = 0  # taken while slots waited for one claim after another
        self._starved = False  # whether a slot waited for that claim
        self._woken = False  # whether the journal got more since the claim under way was asked for
        self._more = True  # whether the journal may have items beyond those claimed
        self._stopped = False
        self._error: JournalError | None = None
        writer.put(journal.claim, concurrency, self._claimed, urgent=True)

    def __aiter__(self) -> Claims:
        return self

    async def __anext__(self) -> Claimed:
        while self._stopped or not self._ready:
            if self._error is not None:
                raise self._error
            if self._stopped or not self._more:
                raise StopAsyncIteration
            self._told.clear()
            self._ask(urgent=True)
            self._starved = True
            await self._told.wait()
        self._taken += 1
        claimed = self._ready.popleft()
        if len(self._ready) < self._want / 2:
            self._ask(taking=1)
        return claimed

    def stop(self) -> None:
        """Hand out no more."""
        self._stopped = True
        self._told.set()

    def left(self) -> list[int]:
        """Return the items that were claimed and not handed out, for release; call it after the writer's ``flush``."""
        self._take()
        left = [claimed.item for claimed in self._ready]
        self._ready.clear()
        return left

    def wake(self) -> None:
        """Look again: the journal may have more items than when it last said that it had none."""
        self._woken = True  # a claim that is under way may have looked before
        self._told.set()

    def _ask(self, *, urgent: bool = False, taking: int = 0) -> None:
        if self._asked or self._stopped or not self._more:
            return
        self._asked = max(1, round(self._want) - len(self._ready), self._idle())
        self._taken, self._taking, self._starved, self._woken = 0, taking, False, False
        self._writer.put(self._journal.claim, self._asked, self._claimed, urgent=urgent)

    def _claimed(self, told: object, error: JournalError | None) -> None:
        """In the writer's thread."""
        self._inbox.append((told, error))
        self._loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        while self._inbox:
            told, error = self._inbox.popleft()
            if error is not None:
                self._error = error
                self._told.set()
            else:
                self._take_in(*cast("tuple[list[Claimed], bool]", told))
            self._asked = 0

    def _take_in(self, claimed: list[Claimed], ended: bool) -> None:
        self._ready.extend(claimed)
        self._more = not ended
        if self._starved:
            self._streak += self._taking + self._taken
            # As many as run can end at one moment, however slow they are, and the streak can go on from one such moment
            # to the next; only more than both is a fast job
            limit = MOST if self._streak > 2 * self._concurrency else self._concurrency
            if len(claimed) == self._asked:  # else the journal had no more: asking for more would not have helped
                self._want = max(self._want, min(self._want * 2.0, limit))
        else:  # it shrinks slowly, so that one quiet moment does not starve the slots
            self._streak = 0
            self._want = min(max(1.0, self._taken * 1.5, self._want * 0.8), MOST)
        if claimed or ended or self._woken:
            self._told.set()
