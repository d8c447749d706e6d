"""
``shield``: an error that comes in the moment in which its caller is cancelled.

``shield`` looks at it, and drops it. An error that comes later it leaves to asyncio, which tells of it when nobody
looks at it; so is this one.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, Final

from unlost._core.hooks import Switch, Undo
from unlost._core.hooks._code import replace_code, with_constants
from unlost.observe.patch._callbacks import Callback, error_of, find_callback, known_to
from unlost.observe.patch._kept import Kept
from unlost.observe.patch._stock import stock_function

_OUTER: Final = "shield.<locals>._outer_done_callback"
_INNER: Final = "shield.<locals>._inner_done_callback"


def keep_shielded(kept: Kept) -> Undo:
    """Let ``shield`` see to it; who imported it before has that too."""

    def make(stock: FunctionType, switch: Switch) -> CodeType:
        def shielded(outer: Future[Any]) -> None:  # Any: of every result
            if switch.on:
                kept.guard(lambda: _spare(outer, kept))

        return with_constants(shield, {"unlost: stock": stock, "unlost: shielded": shielded})

    return replace_code(stock_function("shield"), make)


def shield(arg: Any) -> Any:  # Any: what asyncio's takes and returns
    """Be the code of asyncio's."""
    stock: Callable[..., Any] = "unlost: stock"  # type: ignore[assignment]  # put in by with_constants
    shielded: Callable[..., Any] = "unlost: shielded"  # type: ignore[assignment]  # as above
    outer = stock(arg)
    shielded(outer)
    return outer


def _spare(outer: Any, kept: Kept) -> None:  # Any: futures of any kind
    outers = [callback for callback, _ in getattr(outer, "_callbacks", None) or ()]
    inners = [known_to(callback, "inner") for callback in outers if getattr(callback, "__qualname__", "") == _OUTER]
    for inner in inners:  # none where it was done already: ``shield`` has returned it as it is
        found = find_callback(inner, _INNER, "outer", outer)
        if found is not None:
            _replace(inner, outer, *found, kept)


def _replace(inner: Any, outer: Any, callback: Callback, context: Any, kept: Kept) -> None:  # Any: as above
    inner.remove_done_callback(callback)
    inner.add_done_callback(_UnlessCancelled(callback, outer, kept), context=context)


class _UnlessCancelled:
    """
    ``shield``'s own callback, which is not called when its caller is gone.

    It has the name of that one, and is removed in its place: ``shield`` does so when the caller goes before the end.
    """

    def __init__(self, callback: Callback, outer: Any, kept: Kept) -> None:  # Any: as above
        self.__qualname__ = _INNER
        self.__wrapped__ = callback  # who reads what it closes over finds it
        self._callback = callback
        self._outer = outer
        self._kept = kept

    def __call__(self, inner: Any) -> None:  # Any: as above
        if not self._outer.cancelled():
            self._callback(inner)
        elif not inner.cancelled():
            self._kept.left += 1
            self._kept.leave_to_asyncio(error_of(inner))

    def __eq__(self, other: object) -> bool:
        return self is other or self._callback == other

    def __hash__(self) -> int:
        return hash(self._callback)
