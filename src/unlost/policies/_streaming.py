"""
Layers around async functions, async generator functions, and functions that return async context managers.

What a layer guards of a stream, or of a context manager, is its opening: up to the first item, or until it is entered.
Only then could anything be tried again, since nothing was handed over yet. Guarantees:

- What fails later comes out as it is, with a note that says why it was not tried again, and is told to listeners.
- No layer is active at a yield, so none cancels what consumes the stream (PEP 789): a limit of time is one for the
  opening. A limit for a whole stream goes around the loop that consumes it. The exception are permits, which ``hold``
  keeps until the stream ends; there is nothing in them that cancels.
- Leaving early, by ``aclose``, an error or a cancellation, closes the stream inside, and so does one that was opened
  and that its layer did not want.
- What is sent or thrown into the stream reaches the user's generator.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple

from unlost._core import Event, add_note, emit
from unlost.errors import UsageError
from unlost.policies._entering import Entered
from unlost.policies._instead import WithKeywords
from unlost.policies._opening import EMPTY, Opening
from unlost.policies._source import Complete, items

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Function = Callable[..., Any]  # Any: which sort of function it is, is found out here


class Guard(Protocol):
    """What is asked of a layer here."""

    @property
    def own_task(self) -> bool: ...
    def hold(self) -> AbstractAsyncContextManager[object] | None: ...
    def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> Coroutine[Any, Any, T]: ...  # Any: as async def


@dataclass(frozen=True, slots=True)
class StreamBroke(Event):
    """
    A stream failed after its first item, too late to be tried again.

    Attributes:
        name: The function that opened it.
        error: What it raised.
        items: How many items had been handed over.
    """

    name: str
    error: Exception
    items: int


def around(layer: Guard, func: Function) -> Function:
    """
    Return ``func`` with ``layer`` around it, of the same sort as it was.

    An async generator function and what ``asynccontextmanager`` made of one are recognised, and so is a class whose
    instances are async context managers.

    Raises:
        UsageError: ``func`` is nothing of these, or the layer cannot go around it.
    """
    if _is_async(func):
        return _function(layer, func)
    if inspect.isasyncgenfunction(func):
        return guard_stream(layer, func)
    if _makes_context(func):
        return guard_context(layer, func)
    raise UsageError(
        f"{layer!r} decorates async functions, got {func!r}. Write async def, and await asyncio.to_thread(...) in it "
        "for code that blocks. For a function that returns an async iterator, write layer.stream(function), for one "
        "that returns an async context manager layer.context(function)."
    )


def guard_stream(layer: Guard, func: Function, complete: Complete | None = None) -> Function:
    """
    Return an async generator function: ``func`` with ``layer`` around each stream up to its first item.

    Args:
        layer: Of a pipeline, each layer in its place.
        func: Returns an async iterator or iterable, or an awaitable of one. It is closed by its ``aclose``, if it has
            one.
        complete: Asked of each item; a stream that ends before it was true of one raises ``StreamIncomplete``, which
            is transient: where there was no item, a retry tries again. None takes every end for an end.

    Raises:
        UsageError: The layer calls in a task of its own, as a ``Hedge`` does, or ``complete`` cannot be called.
    """
    _refuse_own_task(layer, func)
    if complete is not None and not callable(complete):
        raise UsageError(f"stream(complete={complete!r}): expected a function of an item. Write complete=is_last.")
    for number, part in enumerate(reversed(_parts(layer))):
        func = _stream(part, func, complete if number == 0 else None, complete)
    return func


def guard_context(layer: Guard, func: Function) -> Function:
    """
    Return a function like ``func``: what it returns is entered with ``layer`` around that.

    What the block raises is the block's: it is not tried again, nor noted.

    Raises:
        UsageError: The layer calls in a task of its own.
    """
    _refuse_own_task(layer, func)
    for part in reversed(_parts(layer)):
        func = _context(part, func)
    return func


def _function(layer: Guard, func: Function) -> Function:
    @functools.wraps(func)
    async def guarded(*args: Any, **keywords: Any) -> Any:  # Any: as func
        return await layer.call(WithKeywords(func, keywords) if keywords else func, *args)

    return guarded


def _stream(layer: Guard, func: Function, complete: Complete | None, instead_complete: Complete | None) -> Function:
    tells = layer.hold() is None and not getattr(func, "__unlost_tells__", False)

    @functools.wraps(func)
    async def guarded(*args: Any, **keywords: Any) -> AsyncGenerator[Any, Any]:  # Any: as func
        held = layer.hold()
        async with held or nullcontext(), Opening(func, keywords, complete, instead_complete) as opening:
            item = await (layer.call(opening, *args) if held is None else opening(*args))
            source = opening.source
            while source is not None and item is not EMPTY:
                sent, thrown = None, None
                try:
                    sent = yield item
                except GeneratorExit:
                    raise
                except BaseException as error:  # handed on to the generator inside  # noqa: BLE001
                    thrown = error
                try:
                    item = await (source.item(sent) if thrown is None else source.item_after(thrown))
                except StopAsyncIteration:
                    return
                except Exception as error:
                    if tells and error is not thrown:
                        _tell(error, getattr(func, "__qualname__", repr(func)), source.items)
                    raise
                finally:
                    del thrown

    if tells:
        guarded.__unlost_tells__ = True  # type: ignore[attr-defined]  # for the layer around it: once is enough
    return guarded


def _context(layer: Guard, func: Function) -> Function:
    @functools.wraps(func, updated=())  # not the attributes of a class
    def guarded(*args: Any, **keywords: Any) -> Entered:  # Any: as func
        return Entered(layer.call, layer.hold(), func, args, keywords)

    return guarded


def _tell(error: Exception, name: str, handed_over: int) -> None:
    add_note(error, f"not tried again: {items(handed_over)} had been handed over")
    emit(StreamBroke(name, error, handed_over))


def _parts(layer: Guard) -> tuple[Guard, ...]:
    parts: tuple[Guard, ...] = getattr(layer, "layers", (layer,))
    return parts


def _refuse_own_task(layer: Guard, func: Function) -> None:
    if layer.own_task:
        raise UsageError(
            f"{layer!r} calls in a task of its own: {getattr(func, '__qualname__', func)} would be opened in one task "
            "and used in another, which breaks what belongs to a task, such as a timeout or a task group in it.\n"
            "Write an async function around it that takes in all items and returns them, and decorate that."
        )


def _is_async(func: object) -> bool:
    call = getattr(type(func), "__call__", None)  # noqa: B004  # whether it is async, not whether it is there
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(call)


@asynccontextmanager
async def _example() -> AsyncGenerator[None, None]:
    yield


# Of the one function in contextlib that each of its context managers is made by.
_MAKES_CONTEXT: Final = getattr(_example, "__code__", None)


def _makes_context(func: object) -> bool:
    if isinstance(func, type):
        return hasattr(func, "__aenter__")
    while isinstance(func, functools.partial):
        func = func.func
    return getattr(getattr(func, "__func__", func), "__code__", None) is _MAKES_CONTEXT
