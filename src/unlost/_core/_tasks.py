"""The only file that starts tasks (held by ``tests/house``)."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Task, get_running_loop
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")

# The loop keeps weak references only: a task that nothing else refers to can vanish midway (cpython#91887).
_alive: set[Task[Any]] = set()  # Any: tasks of every result


def start(
    coroutine: Coroutine[Any, Any, T],  # Any: what it yields to the loop and is sent, asyncio's own affair
    *,
    name: str,
    context: Context,
    on_end: Callable[[Task[T]], object],
) -> Task[T]:
    """
    Run ``coroutine`` as a task in ``context`` itself, not in a copy; call ``on_end`` from the loop when it is done.

    Nobody else need await the task: ``on_end`` is its owner, and has to look at how it ended. With an eager task
    factory the coroutine has run up to its first suspension when this returns. A refused start closes the coroutine, so
    that nothing is left un-awaited.
    """
    try:
        task = get_running_loop().create_task(coroutine, name=name, context=context)
    except BaseException:
        coroutine.close()
        raise
    _alive.add(task)
    task.add_done_callback(_alive.discard)
    task.add_done_callback(on_end)
    return task


def starter(loop: AbstractEventLoop) -> Callable[..., Task[Any]]:  # Any: of every result
    """Return what starts a task on ``loop``, as cheap as it gets; the caller owns the task and keeps it alive."""
    return loop.create_task
