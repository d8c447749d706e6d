"""Several operations at once: all their values, or all their failures."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from unlost._core.together._children import Children
from unlost._core.together._ending import conclude
from unlost._core.together._operation import Operation

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")
T6 = TypeVar("T6")


@overload
async def gather(first: Operation[T1], /) -> tuple[T1]: ...
@overload
async def gather(first: Operation[T1], second: Operation[T2], /) -> tuple[T1, T2]: ...
@overload
async def gather(first: Operation[T1], second: Operation[T2], third: Operation[T3], /) -> tuple[T1, T2, T3]: ...
@overload
async def gather(
    first: Operation[T1], second: Operation[T2], third: Operation[T3], fourth: Operation[T4], /
) -> tuple[T1, T2, T3, T4]: ...
@overload
async def gather(
    first: Operation[T1], second: Operation[T2], third: Operation[T3], fourth: Operation[T4], fifth: Operation[T5], /
) -> tuple[T1, T2, T3, T4, T5]: ...
@overload
async def gather(
    first: Operation[T1],
    second: Operation[T2],
    third: Operation[T3],
    fourth: Operation[T4],
    fifth: Operation[T5],
    sixth: Operation[T6],
    /,
) -> tuple[T1, T2, T3, T4, T5, T6]: ...
@overload
async def gather(*operations: Operation[T]) -> tuple[T, ...]: ...
async def gather(*operations: Operation[Any]) -> tuple[Any, ...]:  # Any: the overloads say it exactly
    """
    Await everything; return all values, or raise all failures.

    With the first failure the siblings are cancelled, and what they raise then is not dropped: unlike in
    ``asyncio.gather``, nothing runs on when this returns or raises.

    Args:
        operations: Awaitables, or functions without parameters that return one. Each runs in a task of its own, with a
            copy of the caller's context variables; a future or task is used as it is, and cancelled like the others.

    Returns:
        The values, in the order given.

    Raises:
        ExceptionGroup: One or more failed: one group of every failure, in the order given, each the original exception
            object; one that was cancelled from elsewhere is in it as ``ChildCancelled``. A ``BaseExceptionGroup`` where
            one of them is no ``Exception``.
        CancelledError: Only if the caller is cancelled. What runs is cancelled too, and has ended when this comes out;
            a further cancellation meanwhile is passed on to it.
        KeyboardInterrupt: Or ``SystemExit``, if an operation raises it: the others have ended, their failures are
            attached and reported.
        UsageError: If something given can be neither awaited nor called; nothing was started then.

    With whatever comes out travel all outcomes (``partial(error)``): the values that there are by then are not lost,
    and what could not even start has ``attempts`` 0.
    """
    children: Children[Any] = Children("gather", operations, stops_at="failure", is_timed=False)
    children.start()
    cancellation = await children.join()
    try:
        conclude(children, cancellation)
        if children.failed:
            # no local name for the group: its traceback refers to this frame
            raise _failures(children)
        return tuple(children.values())
    finally:
        del cancellation, children


def _failures(children: Children[Any]) -> BaseExceptionGroup[BaseException]:  # Any: values are not looked at
    outcomes = children.outcomes()
    failures = children.own_failures(outcomes)
    return failures.as_group(f"{len(failures)} of {len(outcomes)} failed", outcomes)
