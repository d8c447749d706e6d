"""Several operations at once: the first value, and what it survived."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from unlost._core._outcome import Failure, Outcome, Value
from unlost._core._outcomes import Outcomes
from unlost._core._receipt import survive
from unlost._core.together._children import Children
from unlost._core.together._ending import conclude
from unlost._core.together._operation import Operation
from unlost.errors import UsageError

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")


@overload
async def race(first: Operation[T1], second: Operation[T2], /) -> T1 | T2: ...
@overload
async def race(first: Operation[T1], second: Operation[T2], third: Operation[T3], /) -> T1 | T2 | T3: ...
@overload
async def race(*operations: Operation[T]) -> T: ...
async def race(*operations: Operation[Any]) -> Any:  # Any: the overloads say it exactly
    """
    Return the value that comes first; the others are cancelled, and have ended.

    What failed before it, or while it was cancelled, goes into the receipt (``with unlost.receipt() as survived``), and
    so do values that came too late; ``race_outcome`` returns them with the value.

    Args:
        operations: As in ``gather``; at least one.

    Raises:
        ExceptionGroup: All failed: one group of every failure, as in ``gather``.
        CancelledError, KeyboardInterrupt, SystemExit, UsageError: As in ``gather``.
    """
    children, winner, outcomes = await _run("race", operations)
    try:
        if winner is None:
            raise _all_failed(children, outcomes)
        survive("unlost.race", _errors(children, outcomes), _late_values(winner, outcomes))
        return winner.value
    finally:
        del children, winner, outcomes


@overload
async def race_outcome(first: Operation[T1], second: Operation[T2], /) -> Outcome[T1 | T2]: ...
@overload
async def race_outcome(
    first: Operation[T1], second: Operation[T2], third: Operation[T3], /
) -> Outcome[T1 | T2 | T3]: ...
@overload
async def race_outcome(*operations: Operation[T]) -> Outcome[T]: ...
async def race_outcome(*operations: Operation[Any]) -> Outcome[Any]:  # Any: as above
    """
    Do as ``race``, and return the outcome: the first value with all that it ``survived``, or the group as a failure.

    The value's ``index`` says which operation won. Values that came too late go into the receipt.

    Raises:
        CancelledError, KeyboardInterrupt, SystemExit, UsageError: As in ``gather``.
    """
    children, winner, outcomes = await _run("race_outcome", operations)
    try:
        if winner is None:
            return Failure(_all_failed(children, outcomes), duration=max(outcome.duration for outcome in outcomes))
        winner.survived = _errors(children, outcomes)
        survive("unlost.race_outcome", (), _late_values(winner, outcomes))
        return winner
    finally:
        del children, winner, outcomes


async def _run(
    call: str, operations: tuple[Operation[Any], ...]
) -> tuple[Children[Any], Value[Any] | None, Outcomes[Any]]:
    children: Children[Any] = Children(call, operations, stops_at="value")
    if not operations:
        raise UsageError(f"{call}() got nothing to run.\nWrite {call}(fetch(a), fetch(b)).")
    children.start()
    cancellation = await children.join()
    try:
        conclude(children, cancellation)
        outcomes = children.outcomes()
        return children, children.winner(outcomes), outcomes
    finally:
        del cancellation, children


def _all_failed(children: Children[Any], outcomes: Outcomes[Any]) -> BaseExceptionGroup[BaseException]:
    return children.own_failures(outcomes).as_group(f"all {len(outcomes)} failed", outcomes)


def _errors(children: Children[Any], outcomes: Outcomes[Any]) -> tuple[BaseException, ...]:
    return tuple(failure.error for failure in children.own_failures(outcomes).failures)


def _late_values(winner: Value[Any], outcomes: Outcomes[Any]) -> tuple[object, ...]:
    return tuple(outcome.value for outcome in outcomes if isinstance(outcome, Value) and outcome is not winner)
