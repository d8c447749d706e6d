"""The mistakes that are easily made when starting a function: recognised, with what to write."""

from __future__ import annotations

from inspect import isasyncgen, iscoroutine

from unlost.errors import UsageError


def check_startable(call: str, func: object) -> None:
    """Refuse what cannot be started; leave nothing un-awaited."""
    if callable(func):
        return
    if iscoroutine(func):
        name = func.__name__
        func.close()
        raise UsageError(
            f"{call}({name}(...)) got a coroutine object.\n"
            f"Write {call}({name}, ...): a refused start then leaves nothing un-awaited."
        )
    raise UsageError(f"{call}() got {func!r} where it needs an async function.\nWrite {call}(func, *args).")


def no_awaitable(call: str, func: object, returned: object, *, takes_arguments: bool = True) -> UsageError:
    """
    Return what to say of a function that was started and whose result cannot be awaited.

    ``takes_arguments`` is whether ``call`` takes the function's arguments after the function.
    """
    name = getattr(func, "__name__", repr(func))
    if isasyncgen(returned):
        return UsageError(
            f"{call}({name}) needs an async function; {name} is an async generator function.\n"
            f"Write an async function that iterates over {name}(...)."
        )
    threaded = f"{call}(unlost.to_thread, {name}, ...)" if takes_arguments else f"lambda: unlost.to_thread({name})"
    return UsageError(
        f"{call}({name}) needs an async function; {name}(...) returned {repr(returned)[:100]}.\n"
        f"Write async def {name}; or, to keep it off the event loop: {threaded}"
    )
