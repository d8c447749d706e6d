"""
The engine of ``settle``, ``map`` and ``stream``: long-lived worker tasks that take their items themselves.

Guarantees:

- Each item that was started has exactly one outcome, which ``put`` is given before the worker does anything else. The
  one exception is the first ``KeyboardInterrupt`` or ``SystemExit``: that error itself comes out (``fatal``).
- At most ``limit`` items run at once; none is taken from the source before a worker is free to run it.
- An item meets no context variable and no cancellation of another one: a worker in which something was left behind
  retires, and a fresh task in a fresh copy of the caller's context takes its place.
- A worker that is cancelled holds no item, or one whose outcome that cancellation becomes: cancelling is always safe.
- When ``ended`` is true, no task is left.

States: open (items are started), stopped (what runs goes on), ended. A pool never opens again.
"""

from __future__ import annotations

from asyncio import CancelledError, Task, current_task, get_running_loop, sleep
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from inspect import isawaitable
from typing import Any, Final, Generic, TypeVar, cast

from unlost._core._caught import STOPPING, as_input_error, outcome_of, strip_own_frames
from unlost._core._clock import time_of
from unlost._core._outcome import Failure, Outcome, Value
from unlost._core._reason import passed_on
from unlost._core._report import report
from unlost._core._tasks import start
from unlost._core._usage import not_awaitable
from unlost._core._waiters import Waiters
from unlost._core.pool._isolation import Isolation, spent_check
from unlost._core.pool._source import END, WAIT, Mark, Source

S = TypeVar("S")
T = TypeVar("T")

# Each worker calls this many others when it has its first item: few items need few workers, many soon have them all.
_RECRUITS: Final = 2
_NOT_CALLED: Final = object()


class Pool(Generic[S, T]):
    """
    Runs ``func`` over what ``source`` gives, at most ``limit`` at once.

    Attributes:
        call: What the user called.
        changed: Whoever waits here is woken when the pool has ended; ``put`` may wake them, too.
        fatal: A ``KeyboardInterrupt`` or ``SystemExit`` of an item or of the input: everything else was cancelled.
        error: What else ended the pool early: the input's own exception, or a mistake in the call.
        input_failed: Whether the input raised anything.
        reason: Why ``cancel`` was called the first time; empty before.
    """

    def __init__(
        self,
        func: Callable[[S], Awaitable[T]],
        source: Source[S],
        put: Callable[[Outcome[T]], object],
        *,
        limit: int,
        isolate: Isolation = "worker",
        call: str = "map",
        changed: Waiters | None = None,
    ) -> None:
        self.call = call
        self.changed = Waiters() if changed is None else changed
        self.fatal: BaseException | None = None
        self.error: BaseException | None = None
        self.input_failed = False
        self.reason = ""
        self._func, self._source, self._put = func, source, put
        self._limit = limit
        self._one_item_each = isolate == "task"
        self._pull: Callable[[], S | Mark] = source.pull
        self._time = time_of(get_running_loop())
        self._origin = copy_context()
        self._name = f"unlost.{call}({getattr(func, '__name__', type(func).__name__)})"
        self._stopped = False
        self._started = 0
        self._workers: set[Task[None]] = set()
        self._feeder: Task[None] | None = None
        self._wanted = 0
        self._hiring = False

    def start(self, workers: int = 1) -> None:
        """Start the first workers; they call the others when there is work for them."""
        if self._source.needs_feeding:
            self._feeder = start(
                self._feed(), name=f"{self._name} input", context=self._origin.copy(), on_end=self._feeder_left
            )
        self._hire(workers)

    @property
    def ended(self) -> bool:
        """Whether everything is over and no task left."""
        return self._stopped and not self._workers and self._feeder is None

    def stop(self) -> None:
        """Start nothing more; what runs goes on."""
        if not self._stopped:
            self._stopped = True
            self._pull = _nothing
            self._source.stop()

    def cancel(self, reason: str) -> None:
        """Start nothing more and cancel what runs; once more, if it still runs the next time this is called."""
        self.stop()
        self.reason = self.reason or reason
        for worker in tuple(self._workers):
            worker.cancel(reason)

    async def join(self) -> CancelledError | None:
        """
        Wait until the pool has ended, even if the waiting task is cancelled.

        Each of its cancellations is passed on to what still runs; the first is returned, for the caller to raise.
        """
        cancellation: CancelledError | None = None
        while not self.ended:
            try:
                await self.changed.wait()
            except CancelledError as error:
                if cancellation is None:
                    # nothing but our own frames, and this one refers to the error
                    cancellation = error.with_traceback(None)
                elif self._feeder is not None:
                    self._feeder.cancel()
                self.cancel(passed_on("the caller was cancelled", error))
        return cancellation

    def take_errors(self) -> tuple[BaseException | None, BaseException | None]:
        """Return ``fatal`` and ``error``, and forget them: raising one makes its traceback refer to who holds this."""
        fatal, error = self.fatal, self.error
        self.fatal = self.error = None
        return fatal, error

    def _recruit(self, workers: int) -> None:
        """Start more of them for a worker that is about to start its item: that one comes first."""
        if len(self._workers) >= self._limit:
            return
        loop = get_running_loop()
        if loop.get_task_factory() is None:
            self._hire(workers)
        else:
            loop.call_soon(self._hire, workers)  # eager ones would start the next items at once, from in here

    def _hire(self, workers: int) -> None:
        """Start up to ``workers`` more; in a loop even where eager workers call for others while they are started."""
        self._wanted += workers
        if self._hiring:
            return
        self._hiring = True
        try:
            while self._wanted and not self._stopped and len(self._workers) < self._limit:
                self._wanted -= 1
                context = self._origin.copy()
                self._workers.add(start(self._work(context), name=self._name, context=context, on_end=self._left))
        except Exception as refused:  # handed on: by the loop or its task factory; it comes out of the call  # noqa: BLE001
            self.stop()
            self._take(refused)
        finally:
            self._wanted = 0
            self._hiring = False

    async def _work(self, context: Context) -> None:
        """Run items until there is none, or until this task cannot be trusted with another."""
        func, put, time = self._func, self._put, self._time
        is_spent = self._spent_check(context)
        recruits = _RECRUITS
        item: Any  # an item or a mark: a cast would cost a call each time
        awaitable: Any  # what a user's function returned, be it one or not
        try:
            while True:
                try:
                    item = self._pull()
                except BaseException as input_error:  # handed on  # noqa: BLE001
                    self._pull_failed(input_error)
                    return
                if item is WAIT:
                    await self._source.ready()
                    continue
                if item is END:
                    self.stop()
                    return
                index = self._started
                self._started = index + 1
                if recruits:
                    self._recruit(recruits)
                    recruits = 0
                awaitable = _NOT_CALLED
                began = time()
                try:
                    awaitable = func(item)
                    value = await awaitable
                except BaseException as error:  # handed on: it becomes the item's outcome  # noqa: BLE001
                    self._raised(error, awaitable, index, time() - began)
                else:
                    put(Value(value, index, None, 1, time() - began))
                item = awaitable = value = None  # a worker that waits must not keep them alive
                if is_spent():
                    return
                if self._started == index + 1:
                    # nobody else started anything meanwhile: maybe func never suspends, and the loop would starve
                    await sleep(0)
        finally:
            # from 3.12 on, frames in a failure's traceback refer to this one by f_back, even after its end
            del self, func, put, is_spent, context

    def _spent_check(self, context: Context) -> Callable[[], bool]:
        if self._one_item_each:
            return _always  # nothing to look at: a check that is made for one item costs a fifth of its task
        return spent_check(cast("Task[None]", current_task()), context, self._origin)

    def _raised(self, error: BaseException, awaitable: object, index: int, duration: float) -> None:
        """Say what becomes of what came out of an item."""
        strip_own_frames(error)
        if isinstance(error, STOPPING) and self.fatal is None:
            self._take(error)
        elif error.__traceback__ is None and awaitable is not _NOT_CALLED and not isawaitable(awaitable):
            self._not_awaitable(awaitable, index, duration)
        else:
            self._put(outcome_of(error, index, duration, self.reason))

    def _not_awaitable(self, returned: object, index: int, duration: float) -> None:
        mistake = not_awaitable(self.call, self._func, returned)
        if index == 0:  # the function is the wrong one; one item for which it is wrong is that item's failure
            self.stop()
            self._take(mistake)
        else:
            self._put(Failure(mistake, index, None, 1, duration))

    async def _feed(self) -> None:
        try:
            await self._source.feed()
        except BaseException as input_error:  # handed on  # noqa: BLE001
            # what the input gave before is still run: the source answers END after it
            self._input_failed(input_error)

    def _pull_failed(self, input_error: BaseException) -> None:
        self.stop()
        self._input_failed(input_error)

    def _input_failed(self, input_error: BaseException) -> None:
        self.input_failed = True
        self._take(as_input_error(input_error))

    def _take(self, error: BaseException) -> None:
        """Keep what has to come out of the call; one place for each sort; what comes too late is reported."""
        if isinstance(error, STOPPING) and self.fatal is None:
            self.fatal = error
            self.cancel(f"{type(error).__name__} was raised in {self._name}")
        elif self.error is None:
            self.error = error
        else:
            report(error, f"{self._name} had already failed")

    def _left(self, worker: Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and (crash := worker.exception()) is not None:
            self.stop()
            self._take(crash)
        if not self._stopped:
            self._hire(1)
        self._tell_if_ended()

    def _feeder_left(self, _feeder: Task[None]) -> None:
        self._feeder = None
        self._tell_if_ended()

    def _tell_if_ended(self) -> None:
        if self.ended:
            self.changed.wake_all()


def _nothing() -> Mark:
    return END


def _always() -> bool:
    return True
