"""Where a task comes from, in terms of what is found."""

from __future__ import annotations

from asyncio import Task, current_task
from typing import Any

from unlost._core.hooks import spawned_of
from unlost.observe._text import encodable
from unlost.observe.watch import Origin, site_of


def origin_of(task: Task[Any]) -> Origin:  # Any: tasks of every result
    """Return the name of a task, and where it and those above it were started."""
    return Origin(encodable(task.get_name()), tuple(site_of(spot) for spot in spawned_of(task)))


def origin_here() -> Origin | None:
    """Return that of the task that runs in this thread, if one does."""
    task = task_here()
    return None if task is None else origin_of(task)


def task_here() -> Task[Any] | None:  # Any: as above
    """Return the task that runs in this thread, if one does."""
    try:
        return current_task()
    except RuntimeError:  # no loop runs here
        return None


def closes_a_generator(task: object) -> bool:
    """Say whether it is a task that the loop made to close an async generator which nobody had gone through."""
    return type(getattr(task, "_coro", None)).__name__ == "async_generator_athrow"  # as below


def name_of_coroutine(task: Task[Any]) -> str:  # Any: as above
    """Return `` (function())``, or nothing where that is not known."""
    # not get_coro(): on 3.12.1 it crashes the interpreter for a task that was eager and never suspended
    name = getattr(getattr(task, "_coro", None), "__qualname__", None)
    return f" ({encodable(name)}())" if isinstance(name, str) else ""
