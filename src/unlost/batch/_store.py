"""
The journal of a running run, as the event loop sees it: put outcomes in, be told when they are durable.

Closing is synchronous on purpose: it takes a commit and two syncs, and no cancellation can come in between.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from unlost.batch._context import Context
from unlost.batch._letters import letter_of
from unlost.batch._lock import Lock
from unlost.batch._plan import Plan
from unlost.batch._scan import Scan
from unlost.batch.journal import _door, _schema
from unlost.batch.journal._again import choose
from unlost.batch.journal._claims import Claims
from unlost.batch.journal._door import Connection
from unlost.batch.journal._index import Index
from unlost.batch.journal._journal import Claimed, Ended, Journal
from unlost.batch.journal._opening import Epoch, Opening, check_run, make_journal, open_epoch
from unlost.batch.journal._pauses import Pause, Pauses
from unlost.batch.journal._results import ResultsFile
from unlost.batch.journal._spend import Amount, read_total
from unlost.batch.journal._writer import JournalError, Writer
from unlost.batch.paid._purse import BudgetSpent, Purse
from unlost.batch.paid._till import Till
from unlost.batch.source._errors import InputError
from unlost.batch.source._place import SAME


class Owner(Protocol):
    """Who is told, on the loop."""

    def acknowledge(self, ended: Ended) -> None:
        """An outcome is durable."""

    def entered(self, records: int) -> None:
        """So many records were entered into the journal."""

    def scanned(self, error: Exception | None) -> None:
        """The scan has ended, and everything that was read is entered; or the source cannot be read."""

    def spent(self, total: Amount, over: BudgetSpent | None) -> None:
        """The run has spent so much, all of it durable; ``over`` is there from when that is all it may."""

    def broken(self, error: JournalError) -> None:
        """
        The journal or the results file cannot be written any more; called once.

        While the journal can be, what is put is still stored and acknowledged.
        """


class Store:
    """
    One opening of a run's journal.

    Args:
        plan: Which run.
        owner: Who is told.

    Attributes:
        opening: Where it starts from; after ``open``.
        till: What jobs spend and keep.
    """

    opening: Opening

    def __init__(self, plan: Plan, owner: Owner) -> None:
        self._plan = plan
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[Callable[[], None]] = deque()
        self._results = ResultsFile(plan.out, plan.policy.options.tag) if plan.out else None
        self._broken: JournalError | None = None  # the first error; set in the writer's thread
        self._writer = Writer(self._connect, self._disconnect, self._committed, self._break)
        self.till = Till(plan.run, self._writer, Purse(plan.policy.options.budget), self._tell, owner.spent)
        self._journal: Journal
        self._pauses: Pauses
        self._scan: Scan
        self._claims: Claims | None = None

    def open(self) -> None:
        """
        Take the lock, open the journal, bring the results file up to it; blocks.

        Raises:
            UsageError: Another process writes this run, or a file is not what it should be.
        """
        try:
            self._lock = Lock(self._plan.folder.lock(self._plan.run), self._plan.run)
            try:
                self._start()
            except BaseException:
                try:
                    self._forget_new_run()
                finally:
                    self._lock.release()
                raise
        finally:
            self._plan.choice.release()

    def _start(self) -> None:
        self._writer.start()
        try:
            self._scan = self._make_scan()
        except BaseException:
            self._writer.close()
            raise

    def _make_scan(self) -> Scan:
        options, source = self._plan.policy.options, self._plan.source
        refuse = _refuse_duplicate if options.key else _refuse_second_letter if source.format == "dead" else None
        same = SAME if source.inputs == "hash" else None
        index = Index(self._journal, self.opening.scan, self.opening.next_item, refuse, same)
        return Scan(source, options.key, options.first, index, self._writer, self._entered, self._scanned)

    def _forget_new_run(self) -> None:
        """A run that was refused before it began has no journal."""
        if not self._plan.continues:
            path = self._plan.folder.journal(self._plan.run)
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)

    def start_scan(self) -> None:
        """Begin to read the source into the journal; a rerun goes by what was read before, if that was kept."""
        if self._plan.scans:
            self._scan.start()
        else:
            self._journal.scanned = True
            self._owner.entered(self.opening.items)
            self._told_scanned(None)

    def claims(self, idle: Callable[[], int]) -> Claims:
        """Return the items to start; where the journal knew items before, call it after the scan."""
        self._claims = Claims(self._journal, self._writer, self._plan.policy.options.concurrency, idle)
        return self._claims

    def put(self, ended: Ended) -> None:
        """Have an outcome stored; the owner is told when it is durable."""
        self._writer.put(self._journal.end, ended)

    def doubt(self, item: int, survived: str) -> None:
        """Have stored what attempts of an item had failed with (JSON) before it was cancelled."""
        self._writer.put(self._journal.doubt, (item, survived))

    def pause(self, pause: Pause) -> None:
        """Have stored what holds the run, or what has changed about it."""
        self._writer.put(self._pauses.note, pause)

    def context(self, claimed: Claimed) -> Context:
        """Return what the job is told about an item."""
        return Context(
            self._plan.meta["run_id"], claimed.key, claimed.line, claimed.generation,
            item=claimed.item, epoch=self.opening.epoch, kept=claimed.kept, paper=self.till,
        )  # fmt: skip

    def close(self, how: str, unbegun: Iterable[int], why: str | None = None) -> None:
        """
        Write what was put, tell the owner, give back what was claimed and not started; blocks.

        To be called once after ``open``, whatever else was begun; the journal is closed and the lock free in any case.

        Args:
            how: How the opening ended, in a word.
            unbegun: Items that were handed out and not started.
            why: Why it stopped by itself, in a sentence.
        """
        try:
            self._scan.stop()
            self._give_back(unbegun)
            self._writer.put(self._journal.close, (how, why))
            self._writer.put(self._sync_results, None)
        finally:
            try:
                self.till.close()
                self._writer.close()
            finally:
                self._lock.release()
        self._deliver()
        self.till.report_lost()

    def leaves(self, unbegun: Iterable[int]) -> bool:
        """Give back what was claimed and not started, tell the owner, return whether anything could start; blocks."""
        self._give_back(unbegun)
        told: list[object] = []
        self._writer.put(self._journal.left, None, lambda left, _error: told.append(left), urgent=True)
        self._writer.flush()
        self._deliver()
        return told != [False]

    def _give_back(self, unbegun: Iterable[int]) -> None:
        self._writer.flush()
        if self._claims is not None:
            self._claims.stop()
            self._writer.flush()  # the claim that was under way
            self._writer.put(self._journal.release, [*self._claims.left(), *unbegun])

    def _connect(self) -> Connection:
        """In the writer's thread."""
        plan = self._plan
        path = plan.folder.journal(plan.run)
        if plan.continues:
            plan.folder.find(plan.run)  # it may have been purged since it was planned
        try:
            connection = _door.for_writing(plan.door, path, plan.policy.options.durability)
            try:
                self._open(connection, path)
            except BaseException:
                self._disconnect(connection)
                raise
        except plan.door.error as opening_error:
            raise _schema.unreadable(path, opening_error, plan.door) from opening_error
        return connection

    def _open(self, connection: Connection, path: Path) -> None:
        plan = self._plan
        make_journal(connection, path, plan.meta)
        check_run(connection, plan.run, plan.meta)
        if self._results is not None:
            self._results.open(connection)
        epoch = Epoch(plan.options_json(), plan.target.source_hash, plan.revision, plan.policy.options.tag)
        if plan.again is not None:
            choose(connection, plan.again)
        self.opening = opening = open_epoch(connection, epoch, scans=plan.scans)
        self._pauses = Pauses(opening.epoch)
        self.till.start_from(read_total(connection))
        retry = plan.policy.options.in_doubt == "retry" or (plan.again is not None and plan.again.in_doubt)
        self._journal = Journal(
            opening.epoch, opening.scan, opening.next_seq, retry_in_doubt=retry, chosen=plan.again is not None
        )

    def _disconnect(self, connection: Connection) -> None:
        """In the writer's thread."""
        if self._results is not None:
            self._results.close()
        _door.close_writing(self._plan.door, connection)

    def _committed(self) -> None:
        """In the writer's thread."""
        fresh = self._journal.take_fresh()
        if not fresh:
            return
        self._append_results(fresh)
        self._tell(lambda: self._acknowledge(fresh))

    def _append_results(self, fresh: list[tuple[int, Ended]]) -> None:
        """In the writer's thread; an error is not the journal's, from which the next opening brings the file up."""
        if self._results is None or self._broken is not None:
            return
        try:
            self._results.append(fresh)
        except JournalError as appending_error:  # handed to the owner
            self._break(appending_error)
        else:
            if self._results.wants_sync():
                self._writer.put(self._sync_results, None)

    def _sync_results(self, connection: Connection, _payloads: Sequence[object]) -> None:
        """In the writer's thread."""
        if self._results is None or self._broken is not None:
            return
        try:
            self._results.sync(connection)
        except JournalError as syncing_error:  # handed to the owner
            self._break(syncing_error)

    def _break(self, error: JournalError) -> None:
        """In the writer's thread."""
        if self._broken is None:
            self._broken = error
            self._tell(lambda: self._owner.broken(error))
        else:
            self._broken.add_note(f"After that: {error}")

    def _acknowledge(self, fresh: list[tuple[int, Ended]]) -> None:
        for _seq, ended in fresh:
            self._owner.acknowledge(ended)

    def _entered(self, records: int) -> None:
        """In the writer's thread."""
        self._tell(lambda: self._told_entered(records))

    def _told_entered(self, records: int) -> None:
        self._owner.entered(records)
        if self._claims is not None:
            self._claims.wake()

    def _scanned(self, error: Exception | None) -> None:
        """In the writer's thread."""
        self._tell(lambda: self._told_scanned(error))

    def _told_scanned(self, error: Exception | None) -> None:
        self._owner.scanned(error)
        if self._claims is not None:
            self._claims.wake()

    def _tell(self, what: Callable[[], None]) -> None:
        """From any thread: have it done on the loop, at the latest by ``close``."""
        self._inbox.append(what)
        self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        while self._inbox:
            self._inbox.popleft()()


def _refuse_duplicate(key: str, line: int, first: int) -> tuple[str, str]:
    return _refused(line, f"has the key {key!r}, which line {first} has already; keys must differ, or leave --key out")


def _refuse_second_letter(key: str, line: int, first: int) -> tuple[str, str]:
    return _refused(line, f"is a dead letter of {key!r}, as line {first} is already; each item is run once")


def _refused(line: int, what: str) -> tuple[str, str]:
    letter = letter_of(InputError(line, what))
    return letter.error, letter.fingerprint
