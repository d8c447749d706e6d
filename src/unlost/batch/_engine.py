"""
The life of a run: open, scan, claim, perform, journal, close.

An item's slot is free for the next one as soon as its outcome is handed to the journal. At most ``OUTSTANDING``
outcomes for each slot wait for their commit, or for whoever iterates; then nothing more starts.

What is still running when the run is cancelled ends as whatever it comes to; what ends as cancelled by that has no
outcome: nobody knows how far it came, so it is in doubt.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from functools import partial as partial_of
from typing import Literal, TypeAlias

from unlost._core import Failure, Outcome, Stream, Value, attach_outcomes, partial, report, stream
from unlost.batch._desk import Desk, Performed
from unlost.batch._letters import title_of
from unlost.batch._perform import Performer
from unlost.batch._plan import Plan
from unlost.batch._store import Store
from unlost.batch._watchdog import watched
from unlost.batch.alone._alone import Alone, runs_alone
from unlost.batch.gate._enough import Failures, FirstOutcomes
from unlost.batch.gate._gate import Gate
from unlost.batch.gate._outage import Trouble
from unlost.batch.gate._pausing import Pausing
from unlost.batch.gate._rest import HoldTooLong, Rest
from unlost.batch.gate._self_stop import SelfStop
from unlost.batch.journal._claims import Claims
from unlost.batch.journal._journal import Claimed, Ended
from unlost.batch.journal._spend import Amount
from unlost.batch.journal._writer import JournalError
from unlost.batch.options._halts import halt_of
from unlost.batch.paid._purse import BudgetSpent
from unlost.batch.target._target import Job, open_target
from unlost.errors import UnlostError
from unlost.observe import headline, redact

OUTSTANDING = 10
"""Outcomes for each slot that may wait for their acknowledgement, or for whoever iterates."""

How: TypeAlias = Literal["complete", "stopped", "cancelled", "halted"]


class Halted(UnlostError):
    """
    The run stopped before its end, and what was not started is pending; the cause says why.

    ``partial(error)`` has the outcomes that could not be journaled: their items are in doubt.
    """


class Engine:
    """
    One opening of a run.

    Args:
        plan: What to do.

    Attributes:
        desk: What is under way.
        opened: Whether items could start.
        performing: Whether items can start or run now: before it the target is opened, after it it is closed.
        how: How it ended, or would if it ended now.
    """

    def __init__(self, plan: Plan) -> None:
        self.opened = False
        self.performing = False
        self.how: How = "complete"
        self._plan = plan
        self._store = Store(plan, self)
        self.desk = Desk(plan.own, self._store.put, self._store.doubt)
        self._claims: Claims | None = None
        self._stream: Stream[Performed] | None = None
        self._gate: Gate | None = None
        self._pausing = Pausing(self.desk.progress, self._store.pause, plan.own)
        options = plan.policy.options
        self._first = FirstOutcomes(keep_going=options.keep_going)
        self._failures = Failures(halt_of(options.halt) if options.halt else None, options.halt or "")
        self._is_cancelled = False  # what runs, not only what has not started
        self._bounded = True  # whether outcomes that nobody takes hold up what follows
        self._changed = asyncio.Event()
        self._scanned = asyncio.Event()
        self._halting: list[Exception] = []
        self._left = True  # whether there may be anything to start

    def open(self) -> None:
        """
        Open the journal; blocks for as long as that takes. After it, ``run`` or ``abandon`` must be called.

        Raises:
            UsageError: The journal, the results file or the source is not what it should be; nothing was started.
        """
        self._store.open()
        self.desk.progress.start_from(self._store.opening)
        self.desk.progress.nano_usd = self._store.till.total.nano_usd

    def abandon(self) -> None:
        """Close the journal; nothing was started."""
        self.how = "cancelled"
        self._store.close(self.how, ())
        self.notify()

    async def run(self) -> None:
        """
        Perform what there is to perform; returns when the journal is closed.

        Raises:
            Halted: The journal or the source failed on the way, or the run stopped by itself.
            Exception: Whatever the target's context manager raised.
            CancelledError: The task was cancelled: what ran was cancelled and is in doubt.
        """
        failure: BaseException | None = None
        try:
            await self._read_and_perform()
            self._forget_needless_halt()
        except BaseException as error:  # handed on by _conclude  # noqa: BLE001
            failure = error
            self.how = "cancelled" if isinstance(error, asyncio.CancelledError) else "halted"
        finally:
            try:
                if self._gate is not None:
                    self._gate.close()  # which spells limit keys: the user's code
            finally:
                self._store.close(self.how, self.desk.unbegun, self._why(failure))
                self.notify()
        try:
            self._conclude(failure)
        finally:
            del failure  # its traceback holds this frame

    def stop(self) -> None:
        """Start nothing more; what runs goes on to its end."""
        if self.how == "complete" and (self.performing or not self.opened):
            self.how = "stopped"
        if self._claims is not None:
            self._claims.stop()
        if self._stream is not None:
            self._stream.stop()
        if self._gate is not None:
            self._gate.stop()
        self._scanned.set()
        self.notify()

    def cancel(self, reason: str) -> None:
        """Start nothing more, and cancel what runs."""
        self.stop()
        if self.how == "stopped":
            self.how = "cancelled"
        self._cancel(reason)

    def halt(self, error: Exception, *, now: bool = False) -> None:
        """
        Stop by itself: start nothing more, and ``Halted`` comes out in the end, with the reason.

        Args:
            error: The reason; what it was raised from goes along.
            now: Cancel what runs; else it goes on to its end.
        """
        if not self._is_told(error):
            self._halting.append(error)
        self.stop()
        self.how = "halted"
        if now:
            self._cancel(str(error))

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()

    async def change(self) -> None:
        """Return when something was acknowledged, or the run ended, since the last call."""
        await self._changed.wait()
        self._changed.clear()

    def taken(self) -> None:
        """Say that one of the desk's ``outcomes`` was taken."""
        self.desk.waiting -= 1
        self.notify()

    def lift_bound(self) -> None:
        """Go on however many outcomes nobody takes."""
        self._bounded = False
        self.notify()

    async def _read_and_perform(self) -> None:
        self._store.start_scan()
        if (over := self._store.till.over) is not None:  # by earlier openings
            await self._scanned.wait()
            self.halt(over)
            return
        async with open_target(self._plan.target) as job:
            with watched(self.desk.progress, self._plan.own):
                try:
                    await self._perform_all(job)
                except BaseException as error:  # here: the target's context manager may replace it
                    self._settle_rest(error)
                    raise

    async def _perform_all(self, job: Job) -> None:
        plan = self._plan
        if self._store.opening.continues:
            await self._scanned.wait()  # what is gone from the source must not start, nor what was reordered be missed
        concurrency = plan.policy.options.concurrency
        self._gate = gate = Gate(plan.policy, plan.own, self)
        self._claims = self._store.claims(lambda: gate.free)
        performer = Performer(job, plan.policy, self._store.context, plan.source.reader(), plan.own, gate)
        alone = Alone(plan, self._store.opening.epoch, self._store.till, self._store.doubt, lambda: gate.is_stopped)

        def begin(claimed: Claimed) -> Awaitable[Performed]:
            return self.desk.perform(alone if runs_alone(claimed) else performer, gate, claimed)

        items = self._handed_out(self._claims, gate)
        async with stream(begin, items, limit=gate.workers, buffer=concurrency, isolate="task") as self._stream:
            self.opened = self.performing = True
            self.notify()
            try:
                if self.how != "complete":
                    self.stop()
                await self._settle_all(self._stream, concurrency * OUTSTANDING)
            finally:
                self.performing = False

    async def _settle_all(self, outcomes: Stream[Performed], bound: int) -> None:
        async for outcome in outcomes:
            self._settle(outcome)
            while self.desk.waiting > bound and self.how == "complete" and self._bounded:
                await self.change()

    def _settle(self, outcome: Outcome[Performed]) -> None:
        ended = self.desk.settle(outcome, cancelling=self._is_cancelled)
        if ended is not None and ended.attempts:
            self._weigh(ended, outcome)

    def _settle_rest(self, error: BaseException) -> None:
        for outcome in partial(error) or ():
            self.desk.settle(outcome, cancelling=True)

    def _weigh(self, ended: Ended, outcome: Outcome[Performed]) -> None:
        """Stop, if there is no use in going on."""
        if not self._first.is_over:
            title = partial_of(_title_of, ended)
            stop = self._first.judge(ended.kind, ended.fingerprint, title)
            if stop is not None:
                stop.__cause__ = _error_of(outcome)
                self.halt(stop)
        if not self._failures.is_over:
            self._count(ended)

    def _count(self, ended: Ended) -> None:
        if (stop := self._failures.judge(ok=ended.ok)) is not None:
            self.halt(stop, now=self._failures.now)

    async def _handed_out(self, claims: Claims, gate: Gate) -> AsyncIterator[Claimed]:
        seats = gate.seats
        while True:
            if gate.is_closed or seats.taken >= seats.limit:
                await gate.opened()
            try:
                claimed = await anext(claims)
            except StopAsyncIteration:
                gate.exhausted()
                return
            self.desk.hand_out(claimed)
            if gate.is_closed or not seats.try_take():
                await gate.enter()
            gate.under_way += 1
            yield claimed

    def _forget_needless_halt(self) -> None:
        """A budget that was reached when nothing was left to start has stopped nothing, nor has a defect of all."""
        if not (self._plan.policy.options.budget or self._halting) or not self.desk.progress.scanned:
            return
        self._left = self._store.leaves(self.desk.unbegun)
        if not self._left and self._halting and all(map(_is_needless, self._halting)):
            self._halting.clear()
            self.how = "complete"

    def _cancel(self, reason: str) -> None:
        self._is_cancelled = True
        if self._stream is not None:
            self._stream.cancel(reason)

    def _is_told(self, error: Exception) -> bool:
        """Tell whether the run stops for such a reason already: a hundred calls that were under way say it once."""
        if isinstance(error, SelfStop):
            return any(isinstance(told, SelfStop) and told.reason == error.reason for told in self._halting)
        if isinstance(error, HoldTooLong | BudgetSpent):
            return any(type(told) is type(error) for told in self._halting)
        return error in self._halting

    def _why(self, failure: BaseException | None) -> str | None:
        """Say why the run stopped by itself, for the journal."""
        told = [self._told(error) for error in self._halting]
        if failure is not None and not isinstance(failure, asyncio.CancelledError) and failure not in self._halting:
            told.append(title_of(failure, self._plan.own))
        return redact("; ".join(told)) if told else None

    def _told(self, error: Exception) -> str:
        try:
            return str(error)
        except (Exception, SystemExit):  # of the user's code: it has the repr of a limit key, say  # noqa: BLE001
            return title_of(error, self._plan.own)

    def _conclude(self, failure: BaseException | None) -> None:
        """Raise what has to come out: all of it, in one exception."""
        if isinstance(failure, JournalError) and failure not in self._halting:
            self._halting.append(failure)
        if not self._halting:
            if failure is not None:
                raise failure
            return
        halted = self._halted(failure)
        if failure is not None and not isinstance(failure, Exception):
            report(halted, f"run {self._plan.run} was being left by {type(failure).__name__}")
            raise failure
        raise halted

    def _halted(self, failure: BaseException | None) -> Halted:
        causes = list(self._halting)
        if isinstance(failure, Exception) and failure not in causes:
            causes.append(failure)
        halted = Halted(f"run {self._plan.run} was halted: {'; '.join(map(self._told, self._halting))}")
        halted.__cause__ = causes[0] if len(causes) == 1 else ExceptionGroup("all that went wrong", causes)
        if lost := self.desk.unacknowledged():
            attach_outcomes(halted, lost)
        return halted

    # What the store tells, on the loop

    def acknowledge(self, ended: Ended) -> None:
        self.desk.acknowledge(ended)
        if not ended.attempts:  # a record that was no item; the others were counted when they ended
            self._count(ended)
        self.notify()

    def entered(self, records: int) -> None:
        self.desk.progress.known += records

    def scanned(self, error: Exception | None) -> None:
        self.desk.progress.scanned = error is None
        if error is not None:
            self.halt(error)
        self._scanned.set()

    def spent(self, total: Amount, over: BudgetSpent | None) -> None:
        self.desk.progress.nano_usd = total.nano_usd
        if over is not None and self._left:
            self.halt(over)

    def broken(self, error: JournalError) -> None:
        self.halt(error, now=True)

    # What the gate tells

    def rest_changed(self, rest: Rest) -> None:
        self._pausing.rest(rest)

    def outage_changed(self, trouble: Trouble, *, ended: bool = False) -> None:
        self._pausing.outage(trouble, ended=ended)


def _title_of(ended: Ended) -> str:
    return headline(json.loads(ended.error or "")).title


def _error_of(outcome: Outcome[Performed]) -> BaseException | None:
    live = outcome.value[2] if isinstance(outcome, Value) else outcome
    return live.error if isinstance(live, Failure) else None


def _is_needless(error: Exception) -> bool:
    """Tell whether a reason to start nothing more is none where nothing is left to start."""
    return isinstance(error, BudgetSpent) or (isinstance(error, SelfStop) and error.reason == "defect")
