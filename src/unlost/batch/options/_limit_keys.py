"""Limit keys as people write them: a field's name, ``host``, or a function of the item by name or as it is."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Hashable
from typing import Any, TypeAlias

KeyFunction: TypeAlias = Callable[[Any], Hashable]  # Any: an item, whatever the input holds


def read_limit_key(value: object) -> str | KeyFunction | None:
    """
    Check a limit key; ``none`` is None.

    A text ``module:function`` is that function where the module is imported already, as the target's is: so the journal
    can keep a function by its name. Else it is a field's name.

    Raises:
        ValueError: It is none of these.
    """
    if value == "none":
        return None
    if isinstance(value, str) and value:
        return _named(value) or value
    if _is_plain_function(value):
        return value  # type: ignore[return-value]  # what a function takes and returns cannot be known
    raise ValueError("expected a field's name, host, or a plain function of the item")


def name_of_function(function: KeyFunction) -> str:
    """Return the name under which ``read_limit_key`` finds a function again, but for lambdas and local ones."""
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', type(function).__qualname__)}"


def _named(text: str) -> KeyFunction | None:
    module, colon, path = text.partition(":")
    found: object = sys.modules.get(module) if colon else None
    for part in path.split("."):
        found = getattr(found, part, None)
    return found if _is_plain_function(found) else None  # type: ignore[return-value]  # as above


def _is_plain_function(value: object) -> bool:
    return callable(value) and not isinstance(value, type) and not inspect.iscoroutinefunction(value)
