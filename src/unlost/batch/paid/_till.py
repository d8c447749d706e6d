"""What jobs say they spent and want kept, on its way into the journal of a running run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from unlost._core import report
from unlost.batch.journal._kept import Keep, keep
from unlost.batch.journal._spend import Amount, Spend, spend
from unlost.batch.journal._writer import JournalError, Writer
from unlost.batch.paid._purse import BudgetSpent, Purse

Tell: TypeAlias = Callable[[Callable[[], None]], None]
"""Has something done on the loop; from any thread."""


class Till:
    """
    The run's ``Paper``: what is put is in the journal before any outcome that is put after it.

    Args:
        run: Its name, for messages.
        writer: Of the journal.
        purse: What may be spent.
        tell: Has something done on the loop.
        spent: Called there with the run's total, and what to say if that is enough, after each commit that adds to it.

    Attributes:
        total: What the run has spent, its earlier openings too, as far as it is durable; changes on the loop.
    """

    def __init__(
        self, run: str, writer: Writer, purse: Purse, tell: Tell, spent: Callable[[Amount, BudgetSpent | None], None]
    ) -> None:
        self.total = Amount()
        self._run = run
        self._writer = writer
        self._purse = purse
        self._tell = tell
        self._spent = spent
        self._lock = threading.Lock()  # spend() is called in any thread
        self._closed = False
        self._told = Amount()  # with what waits for its commit, and with what will not count since it was told before
        self._counted: list[Amount] = []
        self._lost: list[tuple[Spend, JournalError]] = []

    def start_from(self, total: Amount) -> None:
        """Say what earlier openings spent, before anything is put."""
        self.total = self._told = total

    @property
    def over(self) -> BudgetSpent | None:
        """What to say where earlier openings have spent what the run may."""
        return self._purse.over(self.total, before=True)

    def spend(self, spent: Spend) -> None:
        with self._lock:
            if self._closed:
                raise self._closed_error(f"what a call cost, {spent.amount}")
            self._told += spent.amount
            urgent = self._purse.over(self._told) is not None  # nothing more should start meanwhile
            self._writer.put(spend, spent, partial(self._stored, spent), urgent=urgent)

    async def keep(self, kept: Keep) -> None:
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[None] = loop.create_future()

        def done(_result: object, error: JournalError | None) -> None:
            try:  # not the run's loop, where a thread of the job has its own
                loop.call_soon_threadsafe(_settle, durable, error)
            except RuntimeError:  # it is closed, so nobody waits
                if not loop.is_closed():
                    raise

        with self._lock:
            if self._closed:
                raise self._closed_error(f"what to keep as {kept.name!r}")
            self._writer.put(keep, kept, done, urgent=True)
        await durable

    def close(self) -> None:
        """Refuse what comes from now on; the writer still writes what was put."""
        with self._lock:
            self._closed = True

    def report_lost(self) -> None:
        """Report what could not be written, after the writer has ended."""
        if self._lost:
            _spent, error = self._lost[0]
            total = sum((spent.amount for spent, _error in self._lost), Amount())
            calls = "1 call" if len(self._lost) == 1 else f"{len(self._lost):,} calls"
            report(error, f"run {self._run} could not note what {calls} cost: {total}")
            self._lost.clear()

    def _stored(self, spent: Spend, counts: object, error: JournalError | None) -> None:
        """In the writer's thread."""
        if error is not None:
            self._lost.append((spent, error))
        elif counts:
            with self._lock:
                self._counted.append(spent.amount)
                alone = len(self._counted) == 1
            if alone:  # else the loop is told already, and has not come to it
                self._tell(self._count)

    def _count(self) -> None:
        with self._lock:
            counted, self._counted = self._counted, []
        self.total = sum(counted, self.total)
        self._spent(self.total, self._purse.over(self.total))

    def _closed_error(self, what: str) -> JournalError:
        return JournalError(f"the journal of run {self._run} is closed: it cannot be told {what}")


def _settle(durable: asyncio.Future[None], error: JournalError | None) -> None:
    if durable.done():  # its waiter was cancelled
        return
    if error is None:
        durable.set_result(None)
    else:
        durable.set_exception(error)
