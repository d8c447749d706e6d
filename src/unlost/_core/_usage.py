"""The mistakes that are easily made when calling ``settle``, ``map`` or ``stream``: recognised, with what to write."""

from __future__ import annotations

from inspect import isasyncgen, iscoroutine

from unlost.errors import UsageError


def check_function(call: str, func: object) -> None:
    """Refuse a ``func`` that cannot be called with an item."""
    if iscoroutine(func):
        func.close()  # a refused start leaves nothing un-awaited
        name = func.__name__
        raise UsageError(
            f"{call}() got a coroutine object, {name}(...), where it needs a function of one item.\n"
            f"Write {call}({name}, items, limit=...), without the call."
        )
    if not callable(func):
        raise UsageError(
            f"{call}() got {func!r} where it needs a function of one item.\n"
            f"Write {call}(func, items, limit=...): the function first, then the items."
        )


def check_count(call: str, name: str, value: object, meaning: str) -> None:
    """Refuse anything but a whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{call}() got {name}={value!r}. Write a whole number of at least 1: {meaning}.")


def is_whole(value: object) -> bool:
    """Tell whether ``value`` is an int and no bool: callers without a type checker give anything."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Tell whether ``value`` is an int or a float, and no bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_isolation(call: str, isolate: object) -> None:
    """Refuse anything but the two ways to isolate items."""
    if isolate not in ("worker", "task"):
        raise UsageError(
            f"{call}() got isolate={isolate!r}.\n"
            'Write isolate="worker" (the default), or isolate="task" to give each item a task of its own.'
        )


def not_awaitable(call: str, func: object, returned: object) -> UsageError:
    """Return what to say of a function whose result cannot be awaited."""
    name = getattr(func, "__name__", repr(func))
    if isasyncgen(returned):
        return UsageError(
            f"{call}() needs a function that can be awaited; {name} is an async generator function.\n"
            f"Write an async function that consumes it: async def run(item): return [x async for x in {name}(item)]"
        )
    text = repr(returned)
    return UsageError(
        f"{call}() needs a function that can be awaited; {name}(item) returned {text[:100]}"
        f"{'...' if len(text) > 100 else ''}.\n"
        f"Write async def {name}; or, to keep it off the event loop: "
        f"async def run(item): return await asyncio.to_thread({name}, item)"
    )
