"""What can be given to ``gather``, ``settle``, ``race`` and ``as_completed``."""

from __future__ import annotations

from asyncio import AbstractEventLoop, current_task, isfuture
from collections.abc import Awaitable, Callable
from inspect import CORO_CREATED, getcoroutinestate, isawaitable, iscoroutine
from types import CoroutineType
from typing import TypeAlias, TypeVar

from unlost.errors import UsageError

T = TypeVar("T")

Operation: TypeAlias = Awaitable[T] | Callable[[], Awaitable[T]]


def check_operations(call: str, operations: tuple[object, ...], loop: AbstractEventLoop) -> None:
    """Refuse what can be neither awaited nor called, or belongs to another loop; leave nothing un-awaited."""
    if set(map(type, operations)) == {CoroutineType}:  # as nearly always, told without a step for each
        return
    for operation in operations:
        if iscoroutine(operation) or callable(operation):
            continue
        if operation is current_task(loop):
            _close_unstarted(operations)
            raise UsageError(f"{call}() got the task that calls it, and would wait for ever.\nLeave it out.")
        if isfuture(operation):
            if operation.get_loop() is not loop:
                _close_unstarted(operations)
                raise UsageError(
                    f"{call}() got {operation!r} of another event loop.\n"
                    f"Write asyncio.run_coroutine_threadsafe(...) and {call}(asyncio.wrap_future(...))."
                )
        elif not isawaitable(operation):
            _close_unstarted(operations)
            is_many = isinstance(operation, list | tuple)
            hint = f"{call}(*operations), with the star" if is_many else f"{call}(fetch(a), fetch(b))"
            raise UsageError(f"{call}() got {operation!r}, which can be neither awaited nor called.\nWrite {hint}.")


def _close_unstarted(operations: tuple[object, ...]) -> None:
    """Close what was never started, so that nothing is left un-awaited."""
    for operation in operations:
        if iscoroutine(operation) and getcoroutinestate(operation) == CORO_CREATED:
            operation.close()
