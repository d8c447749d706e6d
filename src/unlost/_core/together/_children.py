"""
The engine of ``gather``, ``settle`` and ``race``: operations that are started together, each in a task of its own.

Guarantees:

- When ``join`` returns, everything has ended: no task is left behind, nothing that was given is left un-awaited.
- Each operation has exactly one outcome. The one exception is the first ``KeyboardInterrupt`` or ``SystemExit``: that
  error itself comes out (``fatal``).
- What is stopped before it could start is not called and not begun: its outcome is ``Cancelled`` with no attempt.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, Future, Task, current_task, get_running_loop, isfuture
from collections.abc import Callable
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from types import CoroutineType
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from unlost._core._awaited_by import AWAIT_GRAPH, add_awaited_by, discard_awaited_by
from unlost._core._caught import STOPPING, outcome_of, strip_own_frames
from unlost._core._clock import time_of
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._outcomes import Outcomes
from unlost._core._reason import Reason, asked_now, passed_on
from unlost._core._stubborn import Watch
from unlost._core._tasks import starter
from unlost._core.together._child import HALTED, called, create_or_close, guarded
from unlost._core.together._operation import Operation, check_operations
from unlost.errors import headline

T = TypeVar("T")

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
        self._owner = current_task(self._loop) if AWAIT_GRAPH else None
        self._time = time_of(self._loop)
        self._futures: list[Future[Any] | None] = []  # None was not started
        self._ends: dict[Future[Any], float] = {}
        self._left = 0
        self._begun: set[int] = set()
        self._reason: Reason | None = None
        self._asked: set[Future[Any]] = set()
        self._given: set[Future[Any]] = set()
        self._halted: Future[Any] | None = None
        self._stops: dict[object, BaseException] = {}  # what is like the fatal one, and came later
        self._unbegun: set[int] = set()
        self._waiter: Future[None] | None = None
        self._watch: Watch | None = None
        self._began = self._time()
        check_operations(call, operations, self._loop)

    def start(self) -> None:
        """Start everything, in the order given, unless it has to stop meanwhile."""
        create, halt, ended = starter(self._loop), self._halt, self._ended
        futures = self._futures
        try:
            for operation in self._operations:
                if type(operation) is CoroutineType:
                    child = guarded(operation, halt)  # pyright: ignore[reportArgumentType]  # no function is one
                elif isfuture(operation):
                    self._take_over(operation, ended)
                    continue
                else:
                    child = called(operation, halt, self._begun, len(futures), self.call)
                if self._reason is not None:
                    child.close()
                    futures.append(None)
                    continue
                future = create_or_close(create, child)
                futures.append(future)
                if AWAIT_GRAPH:
                    add_awaited_by(future, self._owner)
                self._left += 1
                if future.done():  # started eagerly, and through already
                    ended(future)
                else:
                    future.add_done_callback(ended)
        except Exception as refused:  # handed on: by the loop or its task factory; it comes out of the call  # noqa: BLE001
            self.refused = refused
            self.cancel(f"a task was refused: {headline(refused)}")

    def _take_over(self, future: Future[Any], ended: Callable[[Future[Any]], object]) -> None:
        """Own what was running before it was given."""
        self._given.add(future)
        self._futures.append(future)
        self._left += 1
        if AWAIT_GRAPH:
            add_awaited_by(future, self._owner)
        future.add_done_callback(ended)
        if self._reason is not None:
            self._ask(future)

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
                self.cancel(passed_on("the caller was cancelled", error))
        if self._watch is not None:
            self._watch.stop()
        self._on_end = None  # whoever is told may hold this: no cycle
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
        began, ends = self._began, self._ends
        for index, future in enumerate(self._futures):
            if future is self._halted is not None:
                continue
            if future is None:
                outcomes.append(self._unstarted(index))
                continue
            try:
                value = future.result()
            except BaseException as error:  # handed on: it is the outcome  # noqa: BLE001
                outcomes.append(self._failure(index, future, error))
            else:
                if value is HALTED:
                    outcomes.append(Failure(self._stops[future], index, None, 1, self._duration(future)))
                    continue
                outcomes.append(Value(value, index, None, 1, ends.get(future, began) - began))
        outcomes += map(self._unstarted, range(len(self._futures), len(self._operations)))
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
        try:
            value = future.result()
        except BaseException as error:  # handed on: it is the outcome  # noqa: BLE001
            return self._failure(index, future, error)
        if value is HALTED:
            stop = self._stops.get(future)
            return None if stop is None else Failure(stop, index, None, 1, self._duration(future))
        return Value(value, index, None, 1, self._duration(future))

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

    def _halt(self, fatal: BaseException, future: Future[Any] | None = None) -> None:
        """Take what would stop the loop, were it raised out of a task."""
        strip_own_frames(fatal)
        future = future or current_task(self._loop)
        if self.fatal is not None:
            self._stops[future] = fatal
            return
        self.fatal = fatal
        self._halted = future  # it must come to its end: cancelled, it would be a second failure
        self.cancel(f"{type(fatal).__name__} was raised in unlost.{self.call}")

    def _ended(self, future: Future[Any]) -> None:
        self._left -= 1
        if AWAIT_GRAPH:
            discard_awaited_by(future, self._owner)
        if self._is_timed:
            self._ends[future] = self._time()
        # asked in this order: exception() of one that was cancelled would use up its CancelledError
        is_cancelled = future.cancelled()
        error = None if is_cancelled else future.exception()
        if is_cancelled or error is not None:
            self.failed += 1
            if isinstance(error, STOPPING):  # of a task that ran before it was given
                self._halt(error, future)
            if self._stops_at == "failure" and self._reason is None:
                self.cancel(_why_failed(future))
        elif self._stops_at == "value" and self.first is None and future.result() is not HALTED:
            self.first = future
            if self._reason is None:
                self.cancel("another one came to a value first")
        if self._on_end is not None:
            self._on_end(future)
        if not self._left and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _ask(self, future: Future[Any]) -> None:
        if future in self._asked and future in self._given:
            return  # it may be the one that waits for us, and cancel us in turn: round and round
        if future is not self._halted and not future.done() and future.cancel(self._reason):
            self._asked.add(future)

    def _running(self) -> list[Task[Any]]:
        return [future for future in self._futures if isinstance(future, Task) and not future.done()]

    def _unstarted(self, index: int) -> Cancelled:
        why = self._reason or Reason("")
        return Cancelled(
            CancelledError(why), index, None, 0, 0.0, (), Reason(f"not started: {why}", why.who, why.asked_at)
        )

    def _failure(self, index: int, future: Future[Any], error: BaseException) -> Failure | Cancelled:
        if isinstance(error, CancelledError) and not self._is_begun(index, future):
            return self._unstarted(index)
        strip_own_frames(error)
        return outcome_of(error, index, self._duration(future), "")

    def _duration(self, future: Future[Any]) -> float:
        return self._ends.get(future, self._began) - self._began

    def _close_unstarted(self) -> None:
        """Close what came not to its first step, so that nothing is left un-awaited."""
        for index, operation in enumerate(self._operations):
            if iscoroutine(operation) and getcoroutinestate(operation) == CORO_CREATED:
                self._unbegun.add(index)
                operation.close()

    def _is_begun(self, index: int, future: Future[Any]) -> bool:
        """Tell whether it came to its first step."""
        operation = self._operations[index]
        if iscoroutine(operation):
            return index not in self._unbegun and getcoroutinestate(operation) != CORO_CREATED
        return future is operation or index in self._begun


def _why_failed(future: Future[Any]) -> str:
    error = None if future.cancelled() else future.exception()
    return "a sibling was cancelled" if error is None else f"a sibling failed: {headline(error)}"
