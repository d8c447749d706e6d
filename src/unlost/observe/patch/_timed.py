"""
``wait_for``: an error that came in the moment in which the time ran out.

From 3.12 on the awaiting task takes the error from what it waits for, and puts its cancellation in its place; the error
is attached to the ``TimeoutError``, or to the cancellation. An error that cleanup raises because the time ran out comes
out by itself, in place of the ``TimeoutError``, as it does without this.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, Final

from unlost._core.hooks import Switch, Undo
from unlost._core.hooks._code import replace_code, with_constants
from unlost.observe.patch._callbacks import error_of, is_asked
from unlost.observe.patch._kept import Kept
from unlost.observe.patch._stock import stock_function

_WHAT: Final = "wait_for() was left in the moment in which this came"


def keep_timed(kept: Kept) -> Undo:
    """Let ``wait_for`` see to it; who imported it before has that too."""

    def make(stock: FunctionType, switch: Switch) -> CodeType:
        def left(awaited: object, error: BaseException) -> None:
            # our frame is not shown: the traceback is the one that there was without it
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            if switch.on and isinstance(error, TimeoutError | CancelledError):
                kept.guard(lambda: _keep(awaited, error, kept))

        return with_constants(wait_for, {"unlost: stock": stock, "unlost: left": left})

    return replace_code(stock_function("wait_for"), make)


async def wait_for(fut: Any, timeout: Any) -> Any:  # Any: what asyncio's takes and returns
    """Be the code of asyncio's."""
    stock: Callable[..., Any] = "unlost: stock"  # type: ignore[assignment]  # put in by with_constants
    left: Callable[..., Any] = "unlost: left"  # type: ignore[assignment]  # as above
    try:
        return await stock(fut, timeout)
    except BaseException as error:
        left(fut, error)
        raise


def _keep(awaited: object, leaving: BaseException, kept: Kept) -> None:
    if not asyncio.isfuture(awaited):  # a coroutine is awaited in place: what it raises is what comes out
        return
    error = error_of(awaited)
    if error is not None and error is not leaving and is_asked(awaited) and not isinstance(error, CancelledError):
        kept.attach(leaving, [error], _WHAT)
