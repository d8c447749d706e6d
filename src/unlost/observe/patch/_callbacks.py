"""asyncio's own callbacks on a future, and what their functions know."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeAlias

Callback: TypeAlias = Callable[[Any], object]  # Any: a future of any kind


def find_callback(future: object, name: str, knows: str, this: object) -> tuple[Any, Context] | None:
    """
    Return a callback on a future, and its context. Any: a function with what it closes over.

    It is the last one whose qualified name is ``name``, and in which the variable ``knows`` is ``this``.
    """
    callbacks: list[tuple[Any, Context]] = getattr(future, "_callbacks", None) or []
    for callback, context in reversed(callbacks):
        if getattr(callback, "__qualname__", "") == name and known_to(callback, knows) is this:
            return callback, context
    return None


def known_to(function: Any, name: str) -> object:  # Any: as above
    """Return what a function closes over under this name; None if nothing, or if it is no function."""
    code = getattr(function, "__code__", None)
    if code is None or name not in (names := code.co_freevars):
        return None
    cell = function.__closure__[names.index(name)]
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None


def error_of(future: Any) -> BaseException | None:  # Any: as above
    """Return what a future failed with, without asking it: that would silence asyncio; None for a cancellation."""
    if not future.done() or future.cancelled():
        return None
    error = getattr(future, "_exception", None)
    return error if isinstance(error, BaseException) else None


def is_asked(future: Future[Any]) -> bool:  # Any: of every result
    """Whether somebody has asked a future that failed, so that asyncio will not tell of it."""
    return not getattr(future, "_log_traceback", True)
