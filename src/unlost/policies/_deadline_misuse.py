"""What a limit of time says where it cannot be meant so: asyncio's words first, then what to write instead."""

from __future__ import annotations

import math
from asyncio import Task
from typing import Any, Literal, TypeAlias

from unlost.errors import UsageError

AnyTask: TypeAlias = Task[Any]  # Any: tasks of every result
State: TypeAlias = Literal["created", "active", "expiring", "expired", "finished"]


class DeadlineStateError(UsageError, RuntimeError):
    """A limit's state does not allow what was asked of it; a ``RuntimeError`` too, as ``asyncio.Timeout`` raises."""


def check_time(name: str, word: str, time: object) -> None:
    """Raise ``UsageError`` unless ``time`` is a number or None; ``word`` is ``of`` of seconds, ``at`` of a time."""
    if time is None or type(time) is int or (type(time) is float and time == time):  # no NaN
        return
    is_number = isinstance(time, int | float) and not isinstance(time, bool)
    if not is_number or math.isnan(time):  # type: ignore[arg-type]  # a number
        expected = "seconds" if word == "of" else "a time of the loop's clock"
        raise UsageError(f"{name} {word} {time!r}: expected {expected} as a number, or None for no limit.")


def without_a_task(limit: str) -> DeadlineStateError:
    return DeadlineStateError(
        f"{limit}: Timeout should be used inside a task, since a task is what it cancels; none runs here.\n"
        "Write asyncio.run(main()), and the limit in main."
    )


def entered_again(limit: str) -> DeadlineStateError:
    return DeadlineStateError(
        f"{limit}: Timeout has already been entered.\nWrite async with timeout(...) anew for each block."
    )


def not_entered(limit: str) -> DeadlineStateError:
    return DeadlineStateError(
        f"{limit}: Timeout has not been entered, or was left before.\n"
        "Write async with timeout(...) anew for each block."
    )


def not_to_reschedule(limit: str, state: State) -> DeadlineStateError:
    if state == "created":
        return DeadlineStateError(
            f"{limit}: Timeout has not been entered, so that nothing is scheduled.\n"
            "Write async with timeout(...) as limit, and limit.reschedule(when) inside."
        )
    return DeadlineStateError(
        f"{limit}: Cannot change state of {state} Timeout.\n"
        "Write limit.reschedule(when) inside of its block, and before it fires."
    )


def left_by_another(call: str, entered_by: AnyTask, left_by: AnyTask | None, *, fired: bool) -> str:
    """Say that a block was entered by one task and left by another one."""
    entered, left = entered_by.get_name(), left_by.get_name() if left_by is not None else "none"
    if fired:
        effect = f"When the time was up, {entered!r} was cancelled, outside of the block."
    else:
        effect = f"Had the time been up, {entered!r} would have been cancelled, outside of the block."
    return (
        f"The block of {call} was entered by task {entered!r} and left by task {left!r}. {effect}\n"
        "That is what a yield in the block leads to (PEP 789), or an exit stack that is closed elsewhere.\n"
        "Write the limit around what consumes the generator, or enter and leave the block in one task."
    )
