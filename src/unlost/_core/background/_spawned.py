"""
The handle of one background task: who waits for it is told how it ended, and where nobody does, its owner is.

Guarantees:

- Each task has exactly one outcome, also one that was cancelled before its first step.
- A failure reaches whoever awaits the handle in the moment it happens, or else the owner, in that same moment. A waiter
  that is cancelled just then does not count: the owner is told.
- The coroutine that asyncio runs never raises: ``SystemExit`` and ``KeyboardInterrupt`` do not escape through the loop.
"""

from __future__ import annotations

from asyncio import CancelledError, Task, get_running_loop
from collections.abc import Awaitable, Callable, Generator
from contextvars import copy_context
from inspect import isawaitable
from types import TracebackType
from typing import Any, Final, Generic, Literal, Protocol, TypeAlias, TypeVar

from unlost._core._caught import outcome_of, strip_own_frames
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._raised import check_waiter, raise_to_waiter
from unlost._core._reason import asked_now
from unlost._core._site import Site
from unlost._core._startable import no_awaitable
from unlost._core._tasks import start
from unlost._core._waiters import Waiters

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Status: TypeAlias = Literal["running", "cancelling", "returned", "failed", "cancelled", "swallowed"]

_OF_OUTCOME: Final[dict[type, Status]] = {Value: "returned", Failure: "failed", Cancelled: "cancelled"}


class Keeper(Protocol):
    """What a handle tells its owner."""

    def ended(self, spawned: Spawned[Any]) -> object:  # Any, here and below: tasks of every result
        """The task is over; called once, from the loop."""

    def unheard(self, spawned: Spawned[Any], error: BaseException) -> object:
        """It failed, and nobody was waiting; called once at most."""


class Spawned(Generic[T_co]):
    """
    A task in the background, as ``spawn`` returns it.

    Awaiting it returns the value, or raises what the task raised: the original object where no exception is being
    handled, and inside of an ``except`` block a fresh ``ChildFailed`` from it, so that neither chain is rewritten. A
    cancelled task raises ``ChildCancelled``: the waiter itself is not cancelled. Cancelling the waiter leaves the task
    alone. ``SystemExit`` and ``KeyboardInterrupt`` come out of the owner; a waiter gets ``ChildFailed`` from them.

    Attributes:
        name: What the task is called.
        forgiven: Why its failure is not wanted; empty unless ``forgive`` said so.
    """

    __slots__ = ("__weakref__", "_ended", "_is_delivered", "_is_told", "_keeper", "_outcome", "_site", "_task",
                 "_traceback", "_waiting", "forgiven", "name")  # fmt: skip

    def __init__(self, name: str, site: Site, keeper: Keeper) -> None:
        self.name = name
        self.forgiven = ""
        self._site = site
        self._keeper = keeper
        self._task: Task[None] | None = None  # until it is started
        self._outcome: Outcome[T_co] | None = None
        self._traceback: TracebackType | None = None
        self._ended = Waiters()
        self._waiting = 0
        self._is_delivered = self._is_told = False

    @property
    def spawned_at(self) -> str:
        """Where it was spawned: ``file.py:12 in function``."""
        return str(self._site)

    @property
    def task(self) -> Task[None]:
        """The task itself, for ``asyncio.wait`` and introspection: its result is always None."""
        assert self._task is not None  # an owner hands the handle out after begin()
        return self._task

    @property
    def outcome(self) -> Outcome[T_co] | None:
        """How it ended; None while it runs. Looking at it does not count as being told."""
        return self._outcome

    @property
    def status(self) -> Status:
        """
        What it is doing, or how it ended.

        ``"cancelling"``: it was asked to stop and has not yet; ``"swallowed"``: it was asked to, and returned a value.
        """
        is_asked = self._task is not None and self._task.cancelling() > 0
        if self._outcome is None:
            return "cancelling" if is_asked else "running"
        if is_asked and isinstance(self._outcome, Value):
            return "swallowed"
        return _OF_OUTCOME[type(self._outcome)]

    @property
    def is_delivered(self) -> bool:
        """Whether somebody awaited it to its end."""
        return self._is_delivered

    async def wait(self) -> Outcome[T_co]:
        """
        Wait for the end and return the outcome, whatever it is: a failure is delivered by that.

        That the waiter is cancelled does not touch the task.
        """
        await self._until_ended()
        assert self._outcome is not None  # it has ended
        return self._outcome

    def peek(self) -> Outcome[T_co] | None:
        """Return the outcome, if there is one, without being told."""
        return self._outcome

    def cancel(self, reason: str = "") -> bool:
        """Ask the task to stop; ``reason`` is the message of its ``CancelledError``. False if it is over."""
        return self.task.cancel(asked_now(reason or "its handle was cancelled", "Spawned.cancel"))

    def __await__(self) -> Generator[Any, None, T_co]:  # Any: what is yielded to the loop, asyncio's own affair
        return self._wait().__await__()

    def __repr__(self) -> str:
        return f"<Spawned {self.name!r} {self.status}, spawned at {self._site}>"

    def described(self) -> str:
        """Return what reports call it."""
        return f"background task {self.name!r}, spawned at {self._site},"

    def begin(self, func: Callable[..., Awaitable[T_co]], args: tuple[object, ...]) -> None:
        """Start the task, in a copy of the caller's context."""
        work = self._work(func, args)
        self._task = start(work, name=self.name, context=copy_context(), on_end=self._over)

    async def _work(self, func: Callable[..., Awaitable[T_co]], args: tuple[object, ...]) -> None:
        time = get_running_loop().time
        began = time()
        returned: Any = None  # what a user's function returned, be it awaitable or not
        try:
            returned = func(*args)
            if not isawaitable(returned):
                raise no_awaitable("spawn", func, returned)
            self._outcome = Value(await returned, duration=time() - began)
        except BaseException as error:  # handed on: it becomes the outcome  # noqa: BLE001
            strip_own_frames(error)
            self._outcome = outcome_of(error, -1, time() - began, "")
            self._traceback = error.__traceback__
        finally:
            # from 3.12 on, frames in a failure's traceback refer to this one by f_back, even after its end
            del self, func, args, returned

    def _over(self, task: Task[None]) -> None:
        if self._outcome is None:
            self._outcome = _never_began(task)
        self._ended.wake_all()
        self._keeper.ended(self)
        if not self._waiting:
            self._tell_owner()

    def _tell_owner(self) -> None:
        if isinstance(self._outcome, Failure) and not self._is_delivered and not self._is_told:
            self._is_told = True
            self._keeper.unheard(self, self._outcome.error)

    async def _wait(self) -> T_co:
        await self._until_ended()
        try:
            return self._unwrapped()
        finally:
            del self  # the error's traceback refers to this frame

    async def _until_ended(self) -> None:
        check_waiter(self, self.task)
        self._waiting += 1
        try:
            while self._outcome is None:
                await self._ended.wait()
            self._is_delivered = True
        finally:
            self._waiting -= 1
            if not self._waiting and self._outcome is not None:
                self._tell_owner()

    def _unwrapped(self) -> T_co:
        try:
            if isinstance(self._outcome, Value):
                return self._outcome.value
            assert self._outcome is not None  # it has ended
            raise_to_waiter(self._outcome, self.described(), self._traceback)
        finally:
            del self  # as above


def _never_began(task: Task[None]) -> Cancelled:
    """Return the outcome of a task that was cancelled before its first step (cpython#116048)."""
    try:
        task.result()
    except CancelledError as cancelled:
        message = str(cancelled.args[0]) if cancelled.args else ""
        return Cancelled(cancelled.with_traceback(None), attempts=0, reason=message)
    raise AssertionError(f"{task!r} ended without an outcome")
