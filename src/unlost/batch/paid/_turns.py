"""Making something once: who comes second waits for the first."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar, cast

from unlost.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")


_HELD: ContextVar[tuple[object, ...]] = ContextVar("unlost_turns", default=())
"""The turns that are had by what runs here and by who called it, or started it as a task or in a thread."""


class Turns:
    """The turns of an item's names: one at a time has each."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._turns: dict[str, object] = {}  # that somebody has now

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """
        Have the turn of a name for the length of the block; wait for whoever has it.

        Raises:
            UsageError: The caller has it already, or is a task or thread of who has it, and would wait for itself.
        """
        held = _HELD.get()
        if name in self._turns and self._turns[name] in held:
            raise UsageError(
                f"context.once({name!r}, ...) was called inside of what context.once({name!r}, ...) calls.\n"
                "It would wait for itself: give one of them another name."
            )
        async with self._locks.setdefault(name, asyncio.Lock()):
            self._turns[name] = turn = object()
            _HELD.set((*held, turn))
            try:
                yield
            finally:
                _HELD.set(held)  # not reset(): a coroutine that is dropped is closed in any context
                del self._turns[name]


def check_function(name: str, func: object) -> None:
    """
    Refuse what ``context.once`` cannot call; leave nothing un-awaited.

    Raises:
        UsageError: It cannot.
    """
    if inspect.iscoroutine(func):
        func.close()
        raise UsageError(
            f"context.once({name!r}, {func.__name__}(...)) got a coroutine object.\n"
            f"Write context.once({name!r}, {func.__name__}, ...): what is kept already then needs no call."
        )
    if not callable(func):
        raise UsageError(
            f"context.once({name!r}, {func!r}) needs an async function.\nWrite context.once({name!r}, func, *args)."
        )


def started(name: str, func: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
    """
    Call what ``context.once`` was given.

    Raises:
        UsageError: It was no async function: nothing can be awaited.
    """
    result: object = func(*args, **kwargs)
    if not inspect.isawaitable(result):
        told = getattr(func, "__name__", repr(func))
        raise UsageError(
            f"context.once({name!r}, {told}, ...) needs an async function; {told}(...) returned {repr(result)[:100]}.\n"
            f"Write context.once({name!r}, asyncio.to_thread, {told}, ...): it then keeps nobody waiting."
        )
    return cast("Awaitable[T]", result)
