"""
The life of a run: open, scan, claim, perform, journal, close.

An item's slot is free for the next one as soon as its outcome is handed to the journal. At most ``OUTSTANDING``
outcomes for each slot wait for their commit, or for whoever iterates; then nothing more starts.

What is still running when the run is cancelled ends as whatever it comes to; what ends as cancelled by that has no
outcome: nobody knows how far it came, so it is in doubt.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Literal, TypeAlias

from unlost._core import Cancelled, Outcome, Stream, Value, partial, stream
from unlost.batch._claims import Claims
from unlost.batch._journal import Claimed, Ended
from unlost.batch._perform import Performer, ended_of
from unlost.batch._plan import Plan
from unlost.batch._progress import Progress
from unlost.batch._store import Store
from unlost.batch._target import Job, open_target
from unlost.batch._writer import JournalError
from unlost.errors import UnlostError

OUTSTANDING = 10
"""Outcomes for each slot that may wait for their acknowledgement, or for whoever iterates."""

How: TypeAlias = Literal["complete", "stopped", "cancelled", "halted"]
Performed: TypeAlias = tuple[Ended, Outcome[Any]]  # Any: whatever the job returns


class Halted(UnlostError):
    """The run stopped before its end, and what was not started is pending; the cause says why."""


class Engine:
    """
    One opening of a run.

    Args:
        plan: What to do.

    Attributes:
        progress: Where it stands.
        opened: Whether items can start.
        how: How it ended, or would if it ended now.
        outcomes: What was acknowledged and not yet taken, where somebody iterates.
    """

    def __init__(self, plan: Plan) -> None:
        self.progress = Progress()
        self.opened = False
        self.how: How = "complete"
        self.outcomes: deque[Outcome[Any]] = deque()
        self._plan = plan
        self._store = Store(plan, self)
        self._claims: Claims | None = None
        self._stream: Stream[Performed] | None = None
        self._started: dict[int, Claimed] = {}  # by the index that the stream gives them
        self._settled = 0
        self._unbegun: dict[int, None] = {}  # items that the stream has and did not start: a stop can leave some
        self._live: dict[int, Outcome[Any]] | None = None  # by item; where somebody iterates
        self._waiting = 0  # outcomes that are not acknowledged, or not taken
        self._changed = asyncio.Event()
        self._scanned = asyncio.Event()
        self._halted: Exception | None = None

    def open(self) -> None:
        """
        Open the journal; blocks for as long as that takes. After it, ``run`` must be called.

        Raises:
            UsageError: The journal, the results file or the source is not what it should be; nothing was started.
        """
        self._store.open()
        self.progress.start_from(self._store.opening)

    async def run(self) -> None:
        """
        Perform what there is to perform; returns when the journal is closed.

        Raises:
            Halted: The journal or the source failed on the way.
            Exception: Whatever the target's context manager raised.
            CancelledError: The task was cancelled: what ran was cancelled and is in doubt.
        """
        try:
            self._store.start_scan()
            async with open_target(self._plan.target) as job:
                await self._perform_all(job)
        except BaseException as error:
            self.how = "cancelled" if isinstance(error, asyncio.CancelledError) else "halted"
            for outcome in partial(error) or ():
                self._settle(outcome)
            if not isinstance(error, JournalError):
                raise
            self._halted = error
        finally:
            self._store.close(self.how, self._unbegun)
            self.notify()
        if self._halted is not None:
            raise Halted(f"run {self._plan.run} was halted: {self._halted}") from self._halted

    def stop(self) -> None:
        """Start nothing more; what runs goes on to its end."""
        if self.how == "complete":
            self.how = "stopped"
        if self._claims is not None:
            self._claims.stop()
        if self._stream is not None:
            self._stream.stop()
        self._scanned.set()

    def cancel(self, reason: str) -> None:
        """Start nothing more, and cancel what runs."""
        self.stop()
        if self.how == "stopped":
            self.how = "cancelled"
        if self._stream is not None:
            self._stream.cancel(reason)

    def iterate(self) -> None:
        """Keep acknowledged outcomes in ``outcomes`` from now on; nothing more starts while too many are there."""
        if self._live is None:
            self._live = {}

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()

    async def change(self) -> None:
        """Return when something was acknowledged, or the run ended, since the last call."""
        await self._changed.wait()
        self._changed.clear()

    def taken(self) -> None:
        """Say that one of ``outcomes`` was taken."""
        self._waiting -= 1
        self.notify()

    async def _perform_all(self, job: Job) -> None:
        plan = self._plan
        if self._store.opening.continues:
            await self._scanned.wait()  # what is gone from the source must not start, nor what was reordered be missed
        self._claims = self._store.claims(self._idle)
        performer = Performer(job, plan.policy, plan.meta["run_id"], plan.source.format, plan.own)
        concurrency = plan.policy.options.concurrency

        def begin(claimed: Claimed) -> Awaitable[Performed]:
            del self._unbegun[claimed.item]
            self._started[len(self._started) + self._settled] = claimed  # the index that the stream gives it
            self.progress.running += 1
            return performer(claimed)

        items = self._handed_out(self._claims)
        async with stream(begin, items, limit=concurrency, isolate="task") as self._stream:
            self.opened = True
            self.notify()
            if self.how != "complete":
                self.stop()
            async for outcome in self._stream:
                self._settle(outcome)
                while self._waiting > concurrency * OUTSTANDING and self._halted is None:
                    await self.change()

    def _idle(self) -> int:
        return self._plan.policy.options.concurrency - self.progress.running - len(self._unbegun)

    async def _handed_out(self, claims: Claims) -> AsyncIterator[Claimed]:
        async for claimed in claims:
            self._unbegun[claimed.item] = None
            yield claimed

    def _settle(self, outcome: Outcome[Performed]) -> None:
        """Hand the outcome of an item to the journal."""
        claimed = self._started.pop(outcome.index, None)
        if claimed is None:  # settled before
            return
        self._settled += 1
        self.progress.running -= 1
        if isinstance(outcome, Value):
            ended, live = outcome.value
        elif isinstance(outcome, Cancelled) and self.how in ("cancelled", "halted"):
            return  # by us: in doubt
        else:
            ended, live = ended_of(claimed, outcome, self._plan.own), outcome
        self._waiting += 1
        if self._live is not None:
            self._live[ended.item] = live
        self._store.put(ended)

    # What the store tells, on the loop

    def acknowledge(self, ended: Ended) -> None:
        progress = self.progress
        progress.ok += ended.ok
        progress.failed += not ended.ok
        progress.retries += max(0, ended.attempts - 1)
        progress.recovered += ended.ok and ended.attempts > 1
        self.notify()
        if ended.attempts == 0:  # a record that was no item
            return
        live = None if self._live is None else self._live.pop(ended.item, None)
        if live is None:
            self._waiting -= 1
        else:
            self.outcomes.append(live)

    def entered(self, records: int) -> None:
        self.progress.known += records

    def scanned(self, error: Exception | None) -> None:
        self.progress.scanned = error is None
        self._scanned.set()
        if error is not None:
            self._halt(error)

    def broken(self, error: JournalError) -> None:
        self._halt(error)
        if self._stream is not None:
            self._stream.cancel("the journal cannot be written")

    def _halt(self, error: Exception) -> None:
        if self._halted is None:
            self._halted = error
        self.stop()
        self.how = "halted"
        self.notify()
