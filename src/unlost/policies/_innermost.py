"""The user's own function under all that layers are given in its place."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from unlost.policies._layer import Layer


def innermost(
    func: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:  # Any, all of them: functions of every sort
    """
    Return the function that ``func(*args)`` calls in the end, and its arguments.

    A layer around another one is given that one's ``call``, and as arguments what that is to call.
    """
    while args and isinstance(func, MethodType) and isinstance(func.__self__, Layer) and func.__name__ == "call":
        func, args = args[0], args[1:]
    return func, args
