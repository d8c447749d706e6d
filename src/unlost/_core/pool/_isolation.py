"""Whether a task that ran one item may run another."""

from __future__ import annotations

import sys
from asyncio import Task
from collections.abc import Callable
from contextvars import Context
from typing import Any, Final, Literal, TypeAlias

Isolation: TypeAlias = Literal["worker", "task"]

# Before 3.13 uncancel() lowers the count and leaves the cancellation itself pending.
_UNCANCEL_LEAVES_IT_PENDING: Final = sys.version_info < (3, 13)


def spent_check(task: Task[Any], context: Context, origin: Context) -> Callable[[], bool]:  # Any: of every result
    """
    Return a function that tells whether what ran in ``task`` left something behind that the next item would meet.

    That is a cancellation which was asked for and not withdrawn, or a ``context`` that is no longer like ``origin``.
    The answer is asked for after each item, so it is a closure: no attribute look-ups, and most often no comparison.
    """
    cancelling, size = task.cancelling, len(origin)
    # private, but both implementations of Task have it; a foreign one may not
    check_pending = _UNCANCEL_LEAVES_IT_PENDING and hasattr(task, "_must_cancel")

    def is_spent() -> bool:
        return (
            cancelling() > 0
            or len(context) != size
            or (check_pending and task._must_cancel)  # type: ignore[attr-defined]  # see check_pending
            or (size > 0 and not are_same(context, origin))
        )

    return is_spent


def are_same(context: Context, origin: Context) -> bool:
    """
    Tell whether both contexts have the same variables with the same objects as values.

    Compared by identity: ``context == origin`` would call the values' own ``__eq__``, which may lie, raise or be slow.
    """
    if len(context) != len(origin):
        return False
    for variable in context:  # noqa: SIM110  # a generator expression would cost as much again
        if context[variable] is not origin.get(variable, context):
            return False
    return True
