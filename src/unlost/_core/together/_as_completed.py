"""Several operations at once: each outcome when it is there."""

from __future__ import annotations

from asyncio import CancelledError, Future
from collections import deque
from types import TracebackType
from typing import Any, Generic, TypeVar, overload

from unlost._core._outcome import Outcome
from unlost._core._reason import passed_on
from unlost._core._waiters import Waiters
from unlost._core.together._children import Children
from unlost._core.together._ending import conclude, leave_with
from unlost._core.together._operation import Operation
from unlost.errors import UsageError

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")


@overload
def as_completed(first: Operation[T1], second: Operation[T2], /) -> AsCompleted[T1 | T2]: ...
@overload
def as_completed(first: Operation[T1], second: Operation[T2], third: Operation[T3], /) -> AsCompleted[T1 | T2 | T3]: ...
@overload
def as_completed(*operations: Operation[T]) -> AsCompleted[T]: ...
def as_completed(*operations: Operation[Any]) -> AsCompleted[Any]:  # Any: the overloads say it exactly
    """
    Await everything at once; hand over each outcome when it is there.

        async with as_completed(fetch(a), fetch(b)) as outcomes:
            async for outcome in outcomes: ...

    ``outcome.index`` says which operation it is of. It is a context manager, as ``stream`` is: leaving the block early
    cancels what runs and waits for it. Failures that were not handed over by then are raised as one group, or attached
    to the exception that leaves the block.

    Args:
        operations: As in ``gather``. They start when the block is entered.

    Raises:
        UsageError: On entering, if something given can be neither awaited nor called; nothing was started then.
        CancelledError: The caller is cancelled; what had not been handed over is attached (``partial(error)``).
        KeyboardInterrupt: Or ``SystemExit``, of an operation, from the iteration or from leaving the block, as in
            ``gather``.
    """
    return AsCompleted(operations)


class AsCompleted(Generic[T]):
    """
    The outcomes of ``as_completed``: an async context manager, and inside it an async iterator.

    Several tasks may iterate: each outcome goes to one of them. A cancelled ``__anext__`` loses none.
    """

    def __init__(self, operations: tuple[Operation[T], ...]) -> None:
        self._operations = operations
        self._children: Children[T] | None = None
        self._changed = Waiters()
        self._ended: deque[Future[Any]] = deque()  # Any: of every result
        self._told: set[int] = set()

    async def __aenter__(self) -> AsCompleted[T]:
        if self._children is not None:
            raise UsageError("this block was entered before.\nCall as_completed(...) again, with new operations.")
        self._children = Children("as_completed", self._operations, on_end=self._arrived)
        self._children.start()
        return self

    def __aiter__(self) -> AsCompleted[T]:
        self._running()
        return self

    async def __anext__(self) -> Outcome[T]:
        children = self._running()
        while True:
            while self._ended and children.fatal is None:
                outcome = children.outcome_of(self._ended.popleft())
                if outcome is not None:
                    self._told.add(outcome.index)
                    return outcome
            if not children.is_running:
                try:
                    conclude(children, None, self._told)
                except BaseException:
                    self._told.update(range(len(self._operations)))  # they travel with what is raised
                    raise
                raise StopAsyncIteration
            await self._changed.wait()

    async def __aexit__(
        self, _type: type[BaseException] | None, body_error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        children = self._running()
        if children.is_running:
            children.cancel(_why_left(body_error))
        cancellation = await children.join()
        try:
            if children.fatal is None and (cancellation is None or isinstance(body_error, CancelledError)):
                leave_with(children, body_error, self._told)
            else:
                conclude(children, cancellation, self._told, body_error)
        finally:
            del body_error, cancellation, children  # they refer to this frame, or soon will

    def _arrived(self, future: Future[Any]) -> None:
        self._ended.append(future)
        self._changed.wake_all()

    def _running(self) -> Children[T]:
        if self._children is None:
            raise UsageError(
                "as_completed(...) is not open.\n"
                "Write: async with as_completed(...) as outcomes:\n"
                "           async for outcome in outcomes: ..."
            )
        return self._children


def _why_left(body_error: BaseException | None) -> str:
    if isinstance(body_error, CancelledError):
        return passed_on("the caller was cancelled", body_error)
    return "the block was left"
