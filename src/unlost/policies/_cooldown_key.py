"""From a call to the cool-down of its key."""

from __future__ import annotations

import functools
from typing import Any

from unlost.policies._called import Counted
from unlost.policies._cooldown import Cooldown, KeyCooldown
from unlost.policies._instead import StandIn
from unlost.policies._layer import Layer


def key_cooldown(
    cooldown: Cooldown | KeyCooldown, func: object, args: tuple[Any, ...]
) -> KeyCooldown:  # Any: of any func
    """
    Return the cool-down of the key that ``func(*args)`` has.

    Raises:
        Exception: Whatever the user's ``key`` raises.
    """
    return cooldown if isinstance(cooldown, KeyCooldown) else cooldown.of(*arguments_of(func, args))


def arguments_of(func: object, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:  # Any: the user's
    """Return what the user's own function is called with: under partials, stand-ins and the layers of a pipeline."""
    keywords: dict[str, Any] = {}  # Any: the user's own arguments
    while True:
        if isinstance(func, functools.partial):
            args, keywords = (*func.args, *args), {**func.keywords, **keywords}
            func = func.func
        elif isinstance(func, StandIn):
            keywords = {**func.keywords, **keywords}
            func = func.func
        elif isinstance(func, Counted):
            func = func.__wrapped__
        elif args and isinstance(getattr(func, "__self__", None), Layer):
            func, args = args[0], args[1:]
        else:
            return args, keywords
