"""Several operations at once, each to its end: all outcomes together."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from unlost._core._outcomes import Outcomes
from unlost._core.together._children import Children
from unlost._core.together._ending import conclude
from unlost._core.together._operation import Operation

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")


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
    children: Children[Any] = Children("settle", operations)  # Any: as above
    children.start()
    cancellation = await children.join()
    try:
        conclude(children, cancellation)
        return children.outcomes().returned_by("unlost.settle")
    finally:
        del cancellation, children  # what is raised refers to this frame
