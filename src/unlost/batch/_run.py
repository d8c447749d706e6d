"""A run for programs and notebooks: the engine of ``unlost run``, inside a running loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from unlost._core import Outcome, report, reraise, start_task
from unlost.batch._engine import Engine, Halted, How
from unlost.batch._folder import DEFAULT
from unlost.batch._plan import Plan, Where, plan_run
from unlost.batch._progress import Progress
from unlost.batch.journal._again import Again
from unlost.batch.journal._books import Books, Group, read_books, read_groups
from unlost.batch.journal._spend import Spent, read_spent
from unlost.batch.options._retry_on import RetryOn
from unlost.batch.source._records import Format
from unlost.batch.source._source import AnySource
from unlost.batch.target._target import load_target, target_of
from unlost.errors import UsageError


class Run:
    """
    A function over many inputs, each outcome journaled.

        async with Run(fetch, "urls.jsonl", attempts=5) as run:
            async for outcome in run:
                ...
        print(run.books)

    Leaving the block waits until the run is complete. Leaving it with an error, or by a ``break`` out of the iteration
    and then the block, starts nothing more: in the first case what runs is cancelled, in the second it ends. Either
    way the journal is right, and the same lines again continue where this stopped.

    Args:
        func: An async function of an item, or of an item and a ``Context``; an async context manager that yields such
            a function; or ``"module:function"``.
        source: A path, ``"-"`` for standard input, or an iterable of what JSON can hold.
        out: The results file.
        folder: Of journals.
        new: Start another run even if there is one to continue.
        accept_code: Continue although the function's code has changed.
        again: Run these items of the last run of this function and source, and no others, whatever their outcome was:
            ``Again(kind="transient")``; the function's code may have changed.
        concurrency: Items that run at once.
        attempts: How often an item is started at most, the first one counted.
        timeout: Seconds for an attempt.
        deadline: Seconds for an item, its attempts and the waits between them.
        retry_on: What is tried again.
        key: Field of the input that names an item.
        format: ``"lines"``, ``"jsonl"``, ``"csv"``, ``"null"`` or ``"dead"``; by default the file's suffix decides.
        durability: What an acknowledged outcome survives: ``"power"`` cuts, or the death of the ``"process"`` only.
        in_doubt: ``"hold"`` what was started and has no outcome, or start it again: ``"retry"``.
        first: Run so many items only.
        rate: ``"50/s"``, or several: ``("50/s", "tokens=2M/min")``.
        limit_key: The field of the input, or ``"host"``, whose values have rates and rests of their own; or a function
            of the item. ``unlost resume`` and ``retry`` find that by its name, if it is one of the target's module.
        budget: ``"usd=50"``, or ``{"usd": 50}``: then nothing more is started.
        halt: ``"soon,fail=5%"``: stop when so many have failed.
        keep_going: Do not stop where all items seem to fail for one reason.
        outage: Seconds for which an outage is waited for; ``"none"`` waits for ever.
        max_hold: The longest ``Retry-After`` that is waited for, in seconds.
        inputs: ``"hash"`` keeps no inputs in the journal.
        max_record: Bytes of the longest record.
        tag: A word that is with every outcome of this opening.

    Raises:
        UsageError: From ``async with``: anything of this cannot be; nothing was started.
        Halted: The journal or the source failed on the way; what was not started is pending. ``partial(error)`` has the
            outcomes that could not be journaled.
        CancelledError: The caller was cancelled: what ran was cancelled and is in doubt; comes out when that has ended.

    An error of the block itself, or a cancellation, comes out as it is; what the run came to besides is then reported.
    """

    def __init__(
        self,
        func: Callable[..., Any] | str,  # Any: checked when the run starts, with words for what is wrong
        source: AnySource,
        *,
        out: str | Path | None = None,
        folder: str | Path = DEFAULT,
        new: bool = False,
        accept_code: bool = False,
        again: Again | None = None,
        concurrency: int | None = None,
        attempts: int | None = None,
        timeout: float | str | None = None,
        deadline: float | str | None = None,
        retry_on: RetryOn | tuple[RetryOn, ...] | str | None = None,
        key: str | None = None,
        format: Literal["auto"] | Format | None = None,  # noqa: A002  # the user's word
        durability: Literal["power", "process"] | None = None,
        in_doubt: Literal["hold", "retry"] | None = None,
        first: int | None = None,
        rate: str | tuple[str, ...] | None = None,
        limit_key: str | Callable[[Any], Hashable] | None = None,  # Any: an item
        budget: str | tuple[str, ...] | Mapping[str, float] | None = None,
        halt: str | None = None,
        keep_going: bool | None = None,
        outage: float | str | None = None,
        max_hold: float | str | None = None,
        inputs: Literal["keep", "hash"] | None = None,
        max_record: int | str | None = None,
        tag: str | None = None,
    ) -> None:
        flags = {
            "concurrency": concurrency,
            "attempts": attempts,
            "timeout": timeout,
            "deadline": deadline,
            "retry_on": retry_on,
            "key": key,
            "format": format,
            "durability": durability,
            "in_doubt": in_doubt,
            "first": first,
            "rate": rate,
            "limit_key": limit_key,
            "budget": budget,
            "halt": halt,
            "keep_going": keep_going,
            "outage": outage,
            "max_hold": max_hold,
            "inputs": inputs,
            "max_record": max_record,
            "tag": tag,
        }
        where = Where(Path(folder), new, accept_code, again=again)

        def make_plan() -> Plan:
            target = load_target(func) if isinstance(func, str) else target_of(func)
            return plan_run(target, source, flags, where, out=Path(out) if out else None, spelling="argument")

        self._set_up(make_plan)

    @classmethod
    def of_plan(cls, plan: Plan) -> Self:
        """Return the run that a plan describes."""
        run = cls.__new__(cls)
        run._set_up(lambda: plan)
        return run

    def _set_up(self, make_plan: Callable[[], Plan]) -> None:
        self._make_plan = make_plan
        self._plan: Plan | None = None
        self._begun: Engine | None = None
        self._task: asyncio.Task[None]
        self._error: BaseException | None = None
        self._ended = asyncio.Event()
        self._iterating = False

    def __repr__(self) -> str:
        if self._plan is None:
            return "<Run, not begun>"
        progress = self.progress
        state = self.how if self._ended.is_set() else f"{progress.running:,} running"
        of = f"of {progress.known:,}" if progress.scanned else f"of {progress.known:,} or more"
        return f"<Run {self.name}, {state}: {progress.ok:,} ok · {progress.failed:,} failed {of}>"

    @property
    def plan(self) -> Plan:
        if self._plan is None:
            raise UsageError("the run has not begun.\nWrite: async with Run(...) as run: async for outcome in run: ...")
        return self._plan

    @property
    def _engine(self) -> Engine:
        assert self.plan is not None
        assert self._begun is not None
        return self._begun

    @property
    def name(self) -> str:
        """What the run is called: ``fetch-3``."""
        return self.plan.run

    @property
    def path(self) -> Path:
        """The journal."""
        return self.plan.folder.journal(self.plan.run)

    @property
    def is_open(self) -> bool:
        """Whether items can start."""
        return self._plan is not None and self._engine.opened

    @property
    def progress(self) -> Progress:
        """Where the run stands."""
        desk = self._engine.desk
        desk.progress.waiting = desk.at_gate
        return desk.progress

    @property
    def how(self) -> How:
        """How the run ended: complete, stopped, cancelled or halted."""
        return self._engine.how

    @property
    def books(self) -> Books:
        """Where every input is, counted in the journal; during the run, what runs counts as in doubt."""
        with self.plan.folder.open(self.name) as connection:
            assert connection is not None  # opened by us, so it is not empty
            return read_books(connection)

    @property
    def spent(self) -> Spent:
        """What attempts said they spent, in all openings; what is in doubt may have cost more."""
        with self.plan.folder.open(self.name) as connection:
            assert connection is not None
            return read_spent(connection)

    @property
    def groups(self) -> list[Group]:
        """The errors of failed items by fingerprint, the most frequent first."""
        with self.plan.folder.open(self.name) as connection:
            assert connection is not None
            return read_groups(connection)

    def stop(self) -> None:
        """Start nothing more; what runs goes on to its end."""
        self._engine.stop()

    def cancel(self, reason: str = "the run was cancelled") -> None:
        """Start nothing more and cancel what runs; what that ends is in doubt."""
        self._engine.cancel(reason)

    async def finished(self) -> None:
        """
        Wait until everything has ended and is durable; a cancellation ends the waiting only.

        From then on the run no longer waits for who iterates: outcomes that nobody takes are held in memory.
        """
        self._engine.lift_bound()
        await self._ended.wait()

    async def __aenter__(self) -> Self:
        if self._plan is not None:
            raise UsageError(f"run {self.name} was entered before. Make another: async with Run(...) as run")
        plan = self._make_plan()
        self._begun = Engine(plan)
        self._begun.open()  # at once: until then the plan keeps others from choosing a run
        self._plan = plan
        context = contextvars.copy_context()
        name = f"unlost run {self.name}"
        try:
            self._task = start_task(self._live(), name=name, context=context, on_end=self._task_ended)
        except BaseException:
            self._begun.abandon()
            raise
        try:
            while not (self._engine.opened or self._ended.is_set()):
                await self._engine.change()
        except asyncio.CancelledError as cancelled:
            await self._cancel_and_wait("cancelled while it was opened", from_outside=True)
            self._report_error(cancelled)
            raise
        if not self._engine.opened:
            self._raise_error()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                from_outside = isinstance(error, asyncio.CancelledError)
                await self._cancel_and_wait(
                    f"{type(error).__name__} in the block of the run", from_outside=from_outside
                )
            else:
                await self._finish()
        except asyncio.CancelledError as cancelled:
            self._report_error(cancelled)
            raise
        if error is None:
            self._raise_error()
        else:
            self._report_error(error)

    def __aiter__(self) -> Self:
        """
        Begin to keep acknowledged outcomes, for the iteration.

        Begin before the first ``await`` of the block: what was acknowledged by then is in the journal alone, as are
        records that were no items.
        """
        self._engine.desk.keep()
        self._iterating = True
        return self

    async def __anext__(self) -> Outcome[Any]:  # Any: whatever the job returns
        """Return the next acknowledged outcome of an item of this opening, in the order of their commits."""
        engine = self._engine
        while not engine.desk.outcomes:
            if self._ended.is_set():
                self._iterating = False
                raise StopAsyncIteration
            await engine.change()
        engine.taken()
        return engine.desk.outcomes.popleft()

    async def _live(self) -> None:
        try:
            await self._engine.run()
        except BaseException as engine_error:  # raised to the owner by _raise_error  # noqa: BLE001
            self._error = engine_error
        finally:
            self._ended.set()
            self._engine.notify()

    async def _finish(self) -> None:
        if self._iterating:
            self.stop()
        try:
            await self.finished()
        except asyncio.CancelledError:
            await self._cancel_and_wait("cancelled from outside", from_outside=True)
            raise

    async def _cancel_and_wait(self, reason: str, *, from_outside: bool) -> None:
        """Wait for the end however often the caller is cancelled meanwhile; then that comes out."""
        cancelled: asyncio.CancelledError | None = None
        self._cancel_now(reason, from_outside=from_outside)
        while not self._ended.is_set():
            try:
                await self._ended.wait()
            except asyncio.CancelledError as again:
                cancelled = again
                self._cancel_now("cancelled again", from_outside=True)
        if cancelled is not None:
            raise cancelled

    def _cancel_now(self, reason: str, *, from_outside: bool) -> None:
        self._engine.cancel(reason)
        # An opening that nobody will use is cut short; a closing only by who would not wait for it
        if not self._engine.performing and (from_outside or not self._engine.opened):
            self._task.cancel(reason)

    def _task_ended(self, _task: asyncio.Task[None]) -> None:
        if not self._ended.is_set():  # cancelled before its first step: nothing of `_live` has run (cpython#116048)
            self._engine.abandon()
            self._error = asyncio.CancelledError("the run's task was cancelled before it began")
            self._ended.set()
            self._engine.notify()

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        try:
            if isinstance(error, asyncio.CancelledError):
                # not this task was cancelled, but the run's: by a loop that shuts down, or by who cancels all tasks
                raise Halted(f"run {self.name} was cancelled from elsewhere; what ran is in doubt") from error
            if error is not None:
                reraise(error)
        finally:
            del error

    def _report_error(self, instead: BaseException) -> None:
        """Report what the run itself came to, where something else comes out of the block."""
        error, self._error = self._error, None
        if error is not None and error is not instead and not isinstance(error, asyncio.CancelledError):
            report(error, f"run {self.name} failed as well; {type(instead).__name__} comes out of its block")
