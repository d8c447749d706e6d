"""One child of a task group, for whoever started it."""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, Future, Task
from collections.abc import Awaitable, Callable, Generator
from inspect import isawaitable
from types import CoroutineType, TracebackType
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

from unlost._core._caught import STOPPING, failure_of, strip_own_frames
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._raised import check_waiter, raise_to_waiter
from unlost._core._reason import asked_now, cancel_reason
from unlost._core._startable import no_awaitable

T = TypeVar("T")

Status: TypeAlias = Literal["running", "cancelling", "returned", "failed", "cancelled", "swallowed"]


class Handle(Generic[T]):
    """
    A child of a ``TaskGroup``, from ``start_soon``.

    Awaiting it waits for the child's end and returns its value. A failed child's own exception is raised, or a
    ``ChildFailed`` from it where another exception is being handled; for a cancelled one, ``ChildCancelled``. That the
    waiter is cancelled does not touch the child, and that somebody was told does not take the failure from the group.

    Attributes:
        name: The child's.
        index: Its position in the group's outcomes, counted from 0; -1 where the group keeps none.
        forgiven: Why its failure is not wanted; empty unless ``forgive`` said so.
        is_told: Whether somebody looked at the outcome, or awaited it.
    """

    __slots__ = (
        "_began",
        "_halted",
        "_has_policy",
        "_loop",
        "_outcome",
        "_swallowed",
        "_task",
        "_traceback",
        "_waiters",
        "forgiven",
        "index",
        "is_told",
        "name",
    )

    def __init__(self, loop: AbstractEventLoop, name: str, began: float, *, has_policy: bool = False) -> None:
        self.name = name
        self.index = -1
        self.forgiven = ""
        self.is_told = False
        self._loop = loop
        self._began = began
        self._has_policy = has_policy  # then the task's result is an outcome
        self._task: Task[T] | None = None
        self._swallowed = False
        self._traceback: TracebackType | None = None
        self._halted: BaseException | None = None
        self._outcome: Outcome[T] | None = None
        self._waiters: list[Future[None]] | None = None

    @property
    def outcome(self) -> Outcome[T] | None:
        """How the child ended; None while it runs."""
        self.is_told = self.is_told or self._outcome is not None
        return self._outcome

    @property
    def status(self) -> Status:
        """
        How the child is: "running"; "cancelling", it was asked to stop and runs on; or how it ended.

        "swallowed" is a value in spite of having been cancelled: the child caught its ``CancelledError`` and went on.
        """
        match self._outcome:
            case None:
                return "cancelling" if self._task is not None and self._task.cancelling() else "running"
            case Value():
                return "swallowed" if self._swallowed else "returned"
            case Failure():
                return "failed"
            case Cancelled():
                return "cancelled"

    def cancel(self, reason: str = "") -> bool:
        """
        Ask the child to stop; return whether it still runs. ``reason`` is the message of its ``CancelledError``.

        Its outcome is ``Cancelled``, which is no failure of the group.
        """
        return self._task is not None and self._task.cancel(asked_now(reason or "its handle was cancelled", self.name))

    async def wait(self) -> Outcome[T]:
        """
        Wait for the child's end and return its outcome, whatever it is.

        That the waiter is cancelled does not touch the child.
        """
        if self._outcome is None:
            await self.ended()
        self.is_told = True
        assert self._outcome is not None  # ended: that is what it was woken for
        return self._outcome

    def __await__(self) -> Generator[Any, None, T]:  # Any: what the future yields to the loop
        if self._outcome is None:
            yield from self.ended()
        outcome = self.outcome
        try:
            if isinstance(outcome, Value):
                return outcome.value
            assert outcome is not None  # ended: that is what it was woken for
            raise_to_waiter(outcome, self.name, self._traceback)
        finally:
            del self, outcome  # the error's traceback refers to this frame

    def __repr__(self) -> str:
        return f"<Handle {self.name!r} {self.status}>"

    # The rest is for the group alone.

    def ended(self) -> Future[None]:
        """Return what to await until the end; one for each waiter, so that cancelling one touches nobody else."""
        if self._task is not None:
            check_waiter(self, self._task)
        waiter: Future[None] = self._loop.create_future()
        self._waiters = [*(self._waiters or ()), waiter]
        return waiter

    def peek(self) -> Outcome[T] | None:
        """Return the outcome, if there is one, without being told."""
        return self._outcome

    async def run(self, func: Callable[..., Awaitable[T]], args: tuple[Any, ...], options: dict[str, Any]) -> T:
        """Be the child's coroutine."""  # Any: start_soon has checked the arguments' types
        returned: object = None
        try:
            returned = func(*args, **options)
            if type(returned) is not CoroutineType and not isawaitable(returned):
                raise no_awaitable("group.start_soon", func, returned)
            return await returned
        except STOPPING as error:  # raised out of a task it would stop the loop before anybody is told
            # kept here, since a task that ends with a cancellation pending drops what it returns
            self._halted = error
            return cast("T", None)
        finally:
            del self, func, args, options, returned  # a failure's traceback refers to this frame

    def started(self, task: Task[T]) -> None:
        """Know the task; it may have ended already."""
        self._task = task

    def end(self, task: Task[T], now: float) -> Outcome[T]:
        """Take the outcome from the task that has ended, and let go of the task."""
        outcome = self._outcome = self._outcome_of(task, now - self._began)
        self._swallowed = isinstance(outcome, Value) and task.cancelling() > 0
        self._task = None
        for waiter in self._waiters or ():
            if not waiter.done():
                waiter.set_result(None)
        self._waiters = None
        return outcome

    def _outcome_of(self, task: Task[T], duration: float) -> Outcome[T]:
        if self._halted is not None:
            halted, self._halted = self._halted, None
            strip_own_frames(halted)
            return Failure(halted, self.index, self.name, 1, duration)
        try:
            result = task.result()
        except CancelledError as error:
            strip_own_frames(error)
            if (failed := failure_of(error)) is not None:
                return Failure(failed, self.index, self.name, 1, duration)
            return Cancelled(error, self.index, self.name, 1, duration, (), cancel_reason(error))
        except BaseException as error:  # handed on: it is the outcome  # noqa: BLE001
            strip_own_frames(error)
            self._traceback = error.__traceback__
            return Failure(error, self.index, self.name, 1, duration)
        if self._has_policy:
            return self._adopted(cast("Outcome[T]", result), duration)
        return Value(result, self.index, self.name, 1, duration)

    def _adopted(self, outcome: Outcome[T], duration: float) -> Outcome[T]:
        """Make the outcome of the policy around the child that of the child."""
        outcome.index, outcome.key, outcome.duration = self.index, self.name, duration
        if isinstance(outcome, Failure):
            strip_own_frames(outcome.error)
            self._traceback = outcome.error.__traceback__
        return outcome
