"""The coroutine around a child: what would stop the loop is handed over instead of raised out of the task."""

from __future__ import annotations

from asyncio import Task
from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, Final, TypeVar, cast

from unlost._core._caught import STOPPING
from unlost._core._startable import no_awaitable
from unlost._core.together._operation import Operation

T = TypeVar("T")

# What the child returns when it has handed something over.
HALTED: Final = object()

Halt = Callable[[BaseException], None]


async def guarded(coroutine: Coroutine[Any, Any, T], halt: Halt) -> T:
    """Await ``coroutine``; give ``KeyboardInterrupt`` and ``SystemExit`` to ``halt``."""
    try:
        return await coroutine
    except STOPPING as fatal:
        halt(fatal)
        return cast("T", HALTED)
    finally:
        del coroutine, halt  # a failure's traceback refers to this frame


async def called(operation: Operation[T], halt: Halt, begun: set[int], index: int, call: str) -> T:
    """Call ``operation`` if it is a function, and await it; note in ``begun`` that it came to that."""
    awaitable: object = operation
    try:
        begun.add(index)
        if not isawaitable(operation):
            awaitable = operation()
            if not isawaitable(awaitable):
                raise no_awaitable(f"unlost.{call}", operation, awaitable, takes_arguments=False)
        return await cast("Awaitable[T]", awaitable)
    except STOPPING as fatal:
        halt(fatal)
        return cast("T", HALTED)
    finally:
        del operation, awaitable, halt, begun  # a failure's traceback refers to this frame


def create_or_close(create: Callable[..., Task[T]], child: Coroutine[Any, Any, T]) -> Task[T]:
    """Start a task; a refused start leaves nothing un-awaited."""
    try:
        return create(child)
    except BaseException:
        child.close()
        raise
