"""The handshake of a child that has to be ready before its starter goes on, in Trio's and anyio's words."""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, Future
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from unlost._core._outcome import Cancelled, Failure
from unlost._core._raised import raise_to_waiter
from unlost._core.groups._handle import Handle
from unlost.errors import UsageError, attach_errors

V = TypeVar("V")


class TaskStatus(Generic[V]):
    """What a function that is started with ``TaskGroup.start`` gets as its keyword ``task_status``."""

    def __init__(self, loop: AbstractEventLoop, join: Callable[[], object]) -> None:
        self._changed: Future[None] = loop.create_future()
        self._join = join
        self._is_ready = False
        self._value: Any = None  # Any: what ``started`` was given, a V by then

    def started(self, value: V | None = None) -> None:
        """
        Say that the child is ready; ``TaskGroup.start`` returns ``value``.

        Raises:
            UsageError: It was said before.
        """
        if self._is_ready:
            raise UsageError("task_status.started() was called twice.\nCall it once, when the child is ready.")
        self._is_ready = True
        self._value = value
        try:
            self._join()  # from now on the child is the group's
        finally:
            self.wake()

    @property
    def is_ready(self) -> bool:
        return self._is_ready

    def wake(self) -> None:
        """The child is ready, or has ended before it was."""
        if not self._changed.done():
            self._changed.set_result(None)

    async def wait(self, handle: Handle[Any]) -> V:  # Any: of every result
        """
        Return what ``started`` was given, or raise what became of the child before.

        A cancellation of the waiter is the child's too, and comes out when that has ended.
        """
        try:
            await self._changed
        except CancelledError as cancellation:
            if not self._is_ready:
                handle.cancel("its start was cancelled")
                await _until_ended(handle, cancellation)
            raise
        finally:
            self._join = _nothing  # it refers to the handle, and that to what the child raised: a cycle
        if self._is_ready:
            return self._value  # type: ignore[no-any-return]  # see __init__
        outcome, name = handle.outcome, handle.name
        del handle, self  # what is raised refers to this frame
        try:
            if isinstance(outcome, Failure | Cancelled):
                raise_to_waiter(outcome, name, outcome.error.__traceback__)
        finally:
            del outcome
        raise UsageError(
            f"{name} ended without saying that it is ready.\n"
            f"Call task_status.started() in it, or start it with start_soon."
        )


def _nothing() -> None:
    """The child is nobody's to join any more."""


async def _until_ended(handle: Handle[Any], cancellation: CancelledError) -> None:  # Any: as above
    while handle.peek() is None:
        try:
            await handle.ended()
        except CancelledError:  # asked again: the first one comes out, and the count has both
            handle.cancel("its start was cancelled")
    outcome = handle.outcome
    if isinstance(outcome, Failure):
        attach_errors(cancellation, (outcome.error,))
