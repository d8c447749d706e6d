"""
The engine of ``gather``, ``settle`` and ``race``: operations that are started together, each in a task of its own.

Guarantees:

- When ``join`` returns, everything has ended: no task is left behind, nothing that was given is left un-awaited.
- Each operation has exactly one outcome. The one exception is the first ``KeyboardInterrupt`` or ``SystemExit``: that
  error itself comes out (``fatal``).
- What is stopped before it could start is not called and not begun: its outcome is ``Cancelled`` with no attempt.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, Future, Task, current_task, get_running_loop
from collections.abc import Awaitable, Callable, Coroutine
from inspect import CORO_CREATED, getcoroutinestate, isawaitable, iscoroutine
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar, cast

from unlost._core._caught import STOPPING, outcome_of, strip_own_frames
from unlost._core._clock import time_of
from unlost._core._operation import Operation, as_future, check_operations
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._outcomes import Outcomes
from unlost._core._reason import Reason, asked_now, cancel_reason
from unlost._core._startable import no_awaitable
from unlost._core._stubborn import Watch
from unlost._core._tasks import starter
from unlost.errors import headline

T = TypeVar("T")

_HALTED: Final = object()

StopsAt: TypeAlias = Literal["failure", "value"]


class Children(Generic[T]):
    """
    Operations that run at once.

    Attributes:
        call: What the user called, for texts.
        fatal: A ``KeyboardInterrupt`` or ``SystemExit`` of an operation: everything else was cancelled.
        refused: What the loop raised in the place of starting a task: everything else was cancelled.
        failed: How many have come to something else than a value.
        first: What came to a value first, where ``stops_at`` is "value".
    """

    def __init__(
        self,
        call: str,
        operations: tuple[Operation[T], ...],
        *,
        stops_at: StopsAt | None = None,
        is_timed: bool = True,
        on_end: Callable[[Future[Any]], object] | None = None,
    ) -> None:
        self.call = call
        self.fatal: BaseException | None = None
        self.refused: Exception | None = None
        self.failed = 0
        self.first: Future[Any] | None = None  # Any, here and below: of every result
        self._operations = operations
        self._stops_at = stops_at
        self._is_timed = is_timed
        self._on_end = on_end
        self._loop: AbstractEventLoop = get_running_loop()
        self._time = time_of(self._loop)
        self._futures: list[Future[Any] | None] = []  # None was not started
        self._ends: dict[Future[Any], float] = {}
        self._left = 0
        self._begun: set[int] = set()
        self._reason: Reason | None = None
        self._asked: set[Future[Any]] = set()
        self._halted: Task[Any] | None = None
        self._waiter: Future[None] | None = None
        self._watch: Watch | None = None
        self._began = self._time()
        check_operations(call, operations, self._loop)

    def start(self) -> None:
        """Start everything, in the order given, unless it has to stop meanwhile."""
        create, ended, futures = starter(self._loop), self._ended, self._futures
        try:
            for operation in self._operations:
                future = as_future(operation)
                if future is None:
                    if self._reason is not None:
                        futures.append(None)
                        continue
                    future = create(self._child(operation))
                futures.append(future)
                self._left += 1
                if future.done():  # started eagerly, and through already
                    ended(future)
                else:
                    future.add_done_callback(ended)
                    if self._reason is not None:  # it was running before it was given
                        self._ask(future)
        except Exception as refused:  # handed on: by the loop or its task factory; it comes out of the call  # noqa: BLE001
            self.refused = refused
            self.cancel(f"a task was refused: {headline(refused)}")

    async def join(self) -> CancelledError | None:
        """
        Wait until all have ended, even if the waiting task is cancelled.

        Each of its cancellations is passed on to what still runs; the first is returned, for the caller to raise.
        """
        cancellation: CancelledError | None = None
        while self._left:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            except CancelledError as error:
                if cancellation is None:
                    # nothing but our own frames, and this one refers to the error
                    cancellation = error.with_traceback(None)
                why = cancel_reason(error)
                self.cancel(f"the caller was cancelled: {why}" if why else "the caller was cancelled")
        if self._watch is not None:
            self._watch.stop()
        if self._reason is not None:
            self._close_unstarted()
        return cancellation

    def cancel(self, why: str) -> None:
        """Cancel what still runs; nothing more is started."""
        if self._reason is None:
            self._reason = asked_now(why, f"unlost.{self.call}")
            self._watch = Watch(self._loop, self._running)
        for future in self._futures:
            if future is not None:
                self._ask(future)

    def values(self) -> list[T]:
        """Return all values, where nothing failed."""
        return [future.result() for future in self._futures if future is not None]

    def outcomes(self) -> Outcomes[T]:
        """Return one outcome for each operation, in the order given; without the fatal one."""
        outcomes: Outcomes[T] = Outcomes()
        for index, operation in enumerate(self._operations):
            future = self._futures[index] if index < len(self._futures) else None
            outcome = self._unstarted(index) if future is None else self._outcome(index, operation, future)
            if outcome is not None:
                outcomes.append(outcome)
        return outcomes

    def winner(self, outcomes: Outcomes[T]) -> Value[T] | None:
        """Return the outcome of what came to a value first."""
        won = [
            outcome for outcome in outcomes if isinstance(outcome, Value) and self._futures[outcome.index] is self.first
        ]
        return won[0] if won else None

    def outcome_of(self, future: Future[Any]) -> Outcome[T] | None:
        """Return the outcome of one that has ended; None for the fatal one."""
        index = self._futures.index(future)
        return self._outcome(index, self._operations[index], future)

    @property
    def is_running(self) -> bool:
        """Whether any has not ended."""
        return self._left > 0

    def own_failures(self, outcomes: Outcomes[T]) -> Outcomes[T]:
        """Return what is no value, without what came to be cancelled because we asked."""
        return Outcomes(
            failure
            for failure in outcomes.failures
            if failure.index < 0
            or isinstance(failure, Failure)
            or (failure.attempts and self._futures[failure.index] not in self._asked)
        )

    def _child(self, operation: Operation[T]) -> Coroutine[Any, Any, T]:
        if iscoroutine(operation):
            return _guarded(operation, self._halt)
        return _called(operation, self._halt, self._begun, len(self._futures), self.call)

    def _halt(self, fatal: BaseException) -> None:
        """Take what would stop the loop, were it raised out of a task."""
        if self.fatal is None:
            strip_own_frames(fatal)
            self.fatal = fatal
            self._halted = current_task(self._loop)  # it must come to its end: cancelled, it would be a second failure
            self.cancel(f"{type(fatal).__name__} was raised in unlost.{self.call}")

    def _ended(self, future: Future[Any]) -> None:
        self._left -= 1
        if self._is_timed:
            self._ends[future] = self._time()
        if future.cancelled() or future.exception() is not None:
            self.failed += 1
            if self._stops_at == "failure" and self._reason is None:
                self.cancel(_why_failed(future))
        elif self._stops_at == "value" and self.first is None and future.result() is not _HALTED:
            self.first = future
            self.cancel("another one came to a value first")
        if self._on_end is not None:
            self._on_end(future)
        if not self._left and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _ask(self, future: Future[Any]) -> None:
        if future is not self._halted and not future.done() and future.cancel(self._reason):
            self._asked.add(future)

    def _running(self) -> list[Task[Any]]:
        return [future for future in self._futures if isinstance(future, Task) and not future.done()]

    def _unstarted(self, index: int) -> Cancelled:
        why = self._reason or Reason("")
        return Cancelled(
            CancelledError(why), index, None, 0, 0.0, (), Reason(f"not started: {why}", why.who, why.asked_at)
        )

    def _outcome(self, index: int, operation: object, future: Future[Any]) -> Outcome[T] | None:
        duration = self._ends.get(future, self._began) - self._began
        try:
            value = future.result()
        except BaseException as error:  # handed on: it is the outcome  # noqa: BLE001
            if isinstance(error, CancelledError) and future is not operation and index not in self._begun:
                return self._unstarted(index)
            strip_own_frames(error)
            return outcome_of(error, index, duration, "")
        if value is not _HALTED:
            return Value(value, index, None, 1, duration)
        return None

    def _close_unstarted(self) -> None:
        """Close what was cancelled before its task's first step, so that nothing is left un-awaited."""
        for index, operation in enumerate(self._operations):
            if iscoroutine(operation):
                if getcoroutinestate(operation) == CORO_CREATED:
                    operation.close()
                else:
                    self._begun.add(index)


async def _guarded(coroutine: Coroutine[Any, Any, T], halt: Callable[[BaseException], None]) -> T:
    try:
        return await coroutine
    except STOPPING as fatal:
        halt(fatal)
        return cast("T", _HALTED)
    finally:
        del coroutine, halt  # a failure's traceback refers to this frame


async def _called(
    operation: Operation[T], halt: Callable[[BaseException], None], called: set[int], index: int, call: str
) -> T:
    awaitable: object = operation
    try:
        called.add(index)
        if not isawaitable(operation):
            awaitable = operation()
            if not isawaitable(awaitable):
                raise no_awaitable(f"unlost.{call}", operation, awaitable)
        return await cast("Awaitable[T]", awaitable)
    except STOPPING as fatal:
        halt(fatal)
        return cast("T", _HALTED)
    finally:
        del operation, awaitable, halt, called  # a failure's traceback refers to this frame


def _why_failed(future: Future[Any]) -> str:
    error = None if future.cancelled() else future.exception()
    return "a sibling was cancelled" if error is None else f"a sibling failed: {headline(error)}"
