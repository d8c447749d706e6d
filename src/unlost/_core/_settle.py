"""Several operations at once, each to its end: all outcomes together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import CORO_CREATED, getcoroutinestate, isawaitable, iscoroutine
from typing import Any, TypeAlias, TypeVar, overload

from unlost._core._ending import conclude
from unlost._core._outcomes import Outcomes
from unlost._core._pool import Pool
from unlost._core._source import SyncSource
from unlost.errors import UsageError

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")

Operation: TypeAlias = Awaitable[T] | Callable[[], Awaitable[T]]


@overload
async def settle(first: Operation[T1], second: Operation[T2], /) -> Outcomes[T1 | T2]: ...
@overload
async def settle(first: Operation[T1], second: Operation[T2], third: Operation[T3], /) -> Outcomes[T1 | T2 | T3]: ...
@overload
async def settle(*operations: Operation[T]) -> Outcomes[T]: ...
async def settle(*operations: Operation[Any]) -> Outcomes[Any]:  # Any: the overloads say it exactly
    """
    Await everything; lose nothing.

    Each operation runs in a task of its own, with context variables of its own, copied from the caller's. A failing one
    does not touch the others.

    Args:
        operations: Awaitables, or functions without parameters that return one. All are started, even if an earlier one
            fails.

    Returns:
        One outcome for each operation, in the order given; ``.values()`` turns them into values or one group of all
        failures.

    Raises:
        CancelledError: Only if the caller is cancelled. What runs is cancelled too, futures and tasks that were given
            included, and has ended when this comes out.
        KeyboardInterrupt: Or ``SystemExit``, if an operation raises it: the others are cancelled and have ended, their
            failures are attached and reported.
        UsageError: If something given is neither; nothing was started then.

    With whatever comes out travel the outcomes that there are by then: ``partial(error)`` returns them.
    """
    _check(operations)
    outcomes: Outcomes[Any] = Outcomes()  # Any: as above
    if not operations:
        return outcomes
    source = SyncSource(operations)
    pool: Pool[Operation[Any], Any] = Pool(
        _awaitable, source, outcomes.append, limit=len(operations), isolate="task", call="settle"
    )
    pool.start(len(operations))
    cancellation = await pool.join()
    outcomes.sort_by_input()
    _close_unstarted(operations)
    try:
        conclude(pool, outcomes, cancellation)
    finally:
        del cancellation  # it refers to this frame
    return outcomes


def _awaitable(operation: Operation[Any]) -> Awaitable[Any]:  # Any: as above
    return operation if isawaitable(operation) else operation()


def _check(operations: tuple[object, ...]) -> None:
    wrong = [operation for operation in operations if not isawaitable(operation) and not callable(operation)]
    if not wrong:
        return
    _close_unstarted(operations)
    hint = "settle(*operations), with the star" if isinstance(wrong[0], list | tuple) else "settle(fetch(a), fetch(b))"
    raise UsageError(f"settle() got {wrong[0]!r}, which can be neither awaited nor called.\nWrite {hint}.")


def _close_unstarted(operations: tuple[object, ...]) -> None:
    """Close what was cancelled before its first step, so that nothing is left un-awaited."""
    for operation in operations:
        if iscoroutine(operation) and getcoroutinestate(operation) == CORO_CREATED:
            operation.close()
