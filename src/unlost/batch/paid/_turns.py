"""Making something once: who comes second waits for the first."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar, cast

from unlost.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")


class Turns:
    """The turns of an item's names: one at a time has each."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._owners: dict[str, asyncio.Task[Any] | None] = {}  # Any: tasks of the job, whatever they return

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """
        Have the turn of a name for the length of the block; wait for whoever has it.

        Raises:
            UsageError: The caller has it already, and would wait for itself.
        """
        if name in self._owners and self._owners[name] is asyncio.current_task():
            raise UsageError(
                f"ctx.once({name!r}, ...) was called inside of what ctx.once({name!r}, ...) calls.\n"
                "It would wait for itself: give one of them another name."
            )
        async with self._locks.setdefault(name, asyncio.Lock()):
            self._owners[name] = asyncio.current_task()
            try:
                yield
            finally:
                del self._owners[name]


def check_function(name: str, func: object) -> None:
    """
    Refuse what ``ctx.once`` cannot call; leave nothing un-awaited.

    Raises:
        UsageError: It cannot.
    """
    if inspect.iscoroutine(func):
        func.close()
        raise UsageError(
            f"ctx.once({name!r}, {func.__name__}(...)) got a coroutine object.\n"
            f"Write ctx.once({name!r}, {func.__name__}, ...): what is kept already then needs no call."
        )
    if not callable(func):
        raise UsageError(
            f"ctx.once({name!r}, {func!r}) needs an async function.\nWrite ctx.once({name!r}, func, *args)."
        )


def started(name: str, func: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """
    Call what ``ctx.once`` was given.

    Raises:
        UsageError: It was no async function: nothing can be awaited.
    """
    result: object = func(*args, **kwargs)
    if not inspect.isawaitable(result):
        told = getattr(func, "__name__", repr(func))
        raise UsageError(
            f"ctx.once({name!r}, {told}, ...) needs an async function; {told}(...) returned {repr(result)[:100]}.\n"
            f"Write ctx.once({name!r}, asyncio.to_thread, {told}, ...): it then keeps nobody waiting."
        )
    return cast("Awaitable[T]", result)
