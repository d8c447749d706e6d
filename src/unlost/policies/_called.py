"""What is called in the end, through all the layers around it: its name, and how often."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Counted(Generic[*Ts, T]):
    """
    An async function that counts how often it is called.

    Attributes:
        calls: How often it was.
    """

    def __init__(self, func: Callable[[*Ts], Awaitable[T]]) -> None:
        self.__wrapped__ = func
        # what messages call it
        self.__qualname__: str = name_of(func)
        self.calls = 0

    def __call__(self, *args: *Ts) -> Awaitable[T]:
        self.calls += 1
        return self.__wrapped__(*args)


def name_of(func: object, args: tuple[object, ...] = ()) -> str:
    """
    Return the name of what ``func(*args)`` calls in the end.

    Through ``functools.partial``, and through the ``call`` of the layers of a pipeline, each of which has the next one
    as its first argument.
    """
    while True:
        if isinstance(func, functools.partial):
            func = func.func
        elif args and _is_call_of_a_layer(func):
            func, *others = args
            args = tuple(others)
        else:
            break
    name = getattr(func, "__qualname__", None)
    return name if isinstance(name, str) else repr(func)


def _is_call_of_a_layer(func: object) -> bool:
    # by what it offers, not by its class: that is above this module
    holder = getattr(func, "__self__", None)
    return getattr(func, "__name__", "") == "call" and hasattr(type(holder), "phrase_each")
