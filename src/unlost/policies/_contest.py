"""
The engine of ``Hedge``: attempts at one call that are started one after the other, until one comes to a value.

Guarantees:

- When ``run`` returns, every attempt has ended: none is left behind.
- Each attempt's error, and each value that nobody wants, is in ``errors`` or ``late``. An attempt that was cancelled
  because we asked is not: it obeyed. What travelled with its cancellation (an inner retry's failures) is.
- Nothing more starts after the first value, after a cancellation of any sort, or once a start was refused.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, Task, TimerHandle, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from unlost._core import Event, Failure, Value, Watch, asked_now, cancel_reason, emit, partial, start_task
from unlost.errors import ChildCancelled, attached, attempts

T = TypeVar("T")

_HALTED: Final = object()


@dataclass(frozen=True, slots=True)
class Hedged(Event):
    """
    A further attempt starts while others may still run.

    Attributes:
        name: What is called.
        attempt: Which attempt starts, counted from 1: at least 2.
        error: What another attempt raised, which is why; None where it took too long.
    """

    name: str
    attempt: int
    error: BaseException | None


class Contest(Generic[T]):
    """
    Attempts at one call.

    Args:
        name: What messages call it.
        attempt: Called for each attempt.
        wait_after: From the number of an attempt that starts, from 1, to the seconds after which the next one does;
            None where it is the last one.
        may_start: Asked before each further attempt: its number, and the error that is the cause, or None.

    Attributes:
        winner: The first value, if there is one.
        late: Values that came after it.
        errors: What failed, oldest first.
        heard: Of how many of them a listener was told.
        fatal: A ``KeyboardInterrupt`` or ``SystemExit`` of an attempt: everything else was cancelled.
        cancellation: The caller's, where it was cancelled meanwhile.
    """

    def __init__(
        self,
        name: str,
        attempt: Callable[[], Awaitable[T]],
        wait_after: Callable[[int], float | None],
        may_start: Callable[[int, BaseException | None], bool],
    ) -> None:
        self.winner: Value[T] | None = None
        self.late: list[Value[T]] = []
        self.errors: list[BaseException] = []
        self.heard = 0
        self.fatal: BaseException | None = None
        self.cancellation: CancelledError | None = None
        self._name = name
        self._attempt = attempt
        self._wait_after = wait_after
        self._may_start = may_start
        self._loop = get_running_loop()
        self._began = self._loop.time()
        self._running: dict[Task[T], int] = {}
        self._ended: deque[Task[T]] = deque()
        self._started = 0
        self._is_open = True
        self._asked: set[Task[T]] = set()
        self._is_due = False
        self._timer: TimerHandle | None = None
        self._waiter: Future[None] | None = None
        self._watch: Watch | None = None

    async def run(self) -> None:
        """Start one attempt after the other, and wait until all have ended, even if the waiting task is cancelled."""
        self._start()
        while self._running:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            except CancelledError as error:
                if self.cancellation is None:
                    self.cancellation = error
                self._stop(f"the caller was cancelled: {cancel_reason(error) or 'no reason is known'}")
            while self._ended:
                self._look_at(self._ended.popleft())
            if self._is_due:
                self._is_due = False
                self._start_next(None)
        self._close()
        if self._watch is not None:
            self._watch.stop()

    def _start(self) -> None:
        """Start one attempt, and set the timer of the next."""
        wait = self._wait_after(self._started + 1)
        self._started += 1
        name = f"{self._name}, attempt {self._started}"
        task = start_task(self._guarded(), name=name, context=copy_context(), on_end=self._on_end)
        self._running[task] = self._started
        if wait is None:
            self._close()
        elif self._is_open:
            self._timer = self._loop.call_later(wait, self._on_time)

    def _start_next(self, error: BaseException | None) -> None:
        """Start another attempt, because of ``error`` or because it is time, unless that is over."""
        try:
            if not self._is_open:
                return
            self._close()
            if self._may_start(self._started + 1, error):
                self._is_open = True
                is_heard = emit(Hedged(self._name, self._started + 1, error))
                self.heard += is_heard and error is not None
                self._start()
        except Exception as refused:  # handed on: by the user's rule, the loop or its task factory  # noqa: BLE001
            self._close()
            self.errors.append(refused)
        finally:
            del error

    async def _guarded(self) -> T:
        """Keep what would stop the loop, were it raised out of a task."""
        try:
            return await self._attempt()
        except (KeyboardInterrupt, SystemExit) as fatal:
            if self.fatal is None:
                self.fatal = fatal
            else:
                self.errors.append(fatal)
            self._stop(f"{type(fatal).__name__} was raised in {self._name}")
            return cast("T", _HALTED)
        finally:
            del self  # a failure's traceback refers to this frame

    def _on_end(self, task: Task[T]) -> None:
        self._ended.append(task)
        self._wake()

    def _on_time(self) -> None:
        self._is_due = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _look_at(self, task: Task[T]) -> None:
        number = self._running.pop(task)
        if task.cancelled():
            self.errors += _errors_of_cancelled(task, task in self._asked, f"attempt {number} of {self._name}")
            self._close()
        elif (error := task.exception()) is not None:
            self.errors.append(error)
            self._start_next(error)
        elif task.result() is not _HALTED:
            self._came(Value(task.result(), number - 1, duration=self._loop.time() - self._began))

    def _came(self, value: Value[T]) -> None:
        if self.winner is not None or self.fatal is not None:
            self.late.append(value)
            return
        self.winner = value
        self._stop("another attempt came to a value first")

    def _stop(self, why: str) -> None:
        """Cancel what still runs; nothing more is started."""
        self._close()
        if not self._running:
            return
        if self._watch is None:
            self._watch = Watch(self._loop, self._running.keys)
        reason = asked_now(why, "Hedge")
        self._asked.update(task for task in self._running if task.cancel(reason))

    def _close(self) -> None:
        self._is_open = self._is_due = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _errors_of_cancelled(task: Task[Any], is_asked: bool, what: str) -> list[BaseException]:  # Any: of every result
    """Return what is left to tell of a cancelled attempt: where we asked, only what travels with its cancellation."""
    try:
        task.result()
    except CancelledError as cancelled:
        return _carried(cancelled) if is_asked else [_child_cancelled(cancelled, what)]
    return []


def _carried(cancelled: CancelledError) -> list[BaseException]:
    failures = [outcome.error for outcome in partial(cancelled) or () if isinstance(outcome, Failure)]
    return [*attempts(cancelled), *attached(cancelled), *failures]


def _child_cancelled(cancelled: CancelledError, what: str) -> ChildCancelled:
    child_cancelled = ChildCancelled(f"{what} was cancelled: {cancel_reason(cancelled) or 'no reason is known'}")
    child_cancelled.__cause__ = cancelled
    return child_cancelled
