"""Whether a task that ran one item may run another."""

from __future__ import annotations

import sys
from asyncio import Task
from contextvars import Context
from typing import Any, Final, Literal, TypeAlias

Isolation: TypeAlias = Literal["worker", "task"]

# Before 3.13 uncancel() lowers the count and leaves the cancellation itself pending.
_UNCANCEL_LEAVES_IT_PENDING: Final = sys.version_info < (3, 13)


def is_spent(task: Task[Any], context: Context, origin: Context) -> bool:  # Any: tasks of every result
    """
    Tell whether what ran in ``task`` left something behind that the next item would meet.

    That is a cancellation which was asked for and not withdrawn, or a ``context`` that is no longer like ``origin``.
    """
    return (
        task.cancelling() > 0
        # private, but both implementations of Task have had it ever since; a foreign one may not
        or (_UNCANCEL_LEAVES_IT_PENDING and getattr(task, "_must_cancel", False))
        or not are_same(context, origin)
    )


def are_same(context: Context, origin: Context) -> bool:
    """
    Tell whether both contexts have the same variables with the same objects as values.

    Compared by identity: ``context == origin`` would call the values' own ``__eq__``, which may lie, raise or be slow.
    """
    if len(context) != len(origin):
        return False
    for variable in context:  # noqa: SIM110  # a generator expression costs as much again as the whole loop
        if context[variable] is not origin.get(variable, context):
            return False
    return True
