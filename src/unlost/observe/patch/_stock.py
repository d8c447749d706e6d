"""asyncio's own functions, also where another library has put its own around them."""

from __future__ import annotations

import asyncio
from types import FunctionType
from typing import Any

_MODULE = asyncio.tasks.__name__


class NotStockError(Exception):
    """There is something else in the place of a function of asyncio, which cannot be told anything."""


def stock_function(name: str) -> FunctionType:
    """
    Return asyncio's own function, by its name in ``asyncio.tasks``.

    Raises:
        NotStockError: Another library has put its own in its place, and does not say what it wraps.
    """
    found: Any = getattr(asyncio.tasks, name, None)  # Any: whatever is there
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        if isinstance(found, FunctionType) and found.__globals__ is vars(asyncio.tasks):
            return found
        found = getattr(found, "__wrapped__", None)
    raise NotStockError(f"asyncio.{name} is {getattr(asyncio.tasks, name, None)!r}, not a function of {_MODULE}")
