"""Which future a task's error is put into by who waits for the task: ``gather`` and ``shield`` wait for another."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any, Final

GATHER: Final = "gather.<locals>._done_callback"
SHIELD: Final = "shield.<locals>._inner_done_callback"
_MOST: Final = 1_000


def handed_on_to(callback: Any, task: object) -> asyncio.Future[Any] | None:  # Any: a callback of either, any result
    """
    Return the future that the callback will put the task's error into; None where it drops that.

    A gather takes the first. The others may have failed in the same turn of the loop, before their callbacks ran.
    """
    outer = closed_over(callback, "outer")
    if not isinstance(outer, asyncio.Future) or outer.done():
        return None
    return None if another_failed(closed_over(callback, "children"), task) else outer


def another_failed(children: object, task: object) -> bool:
    """Say whether one of these futures, other than the task, has failed; of very many it is taken for granted."""
    if not isinstance(children, list):
        return False
    return len(children) > _MOST or any(one is not task and _has_failed(one) for one in islice(children, _MOST))


def closed_over(function: Any, name: str) -> object:  # Any: asyncio's own callback
    """Return what a function has of the one around it; None where that is not there (yet)."""
    function = getattr(function, "__wrapped__", function)  # an object may stand for it: our patch of shield has one
    code = getattr(function, "__code__", None)
    if code is None or name not in (names := code.co_freevars):
        return None
    try:
        contents: object = function.__closure__[names.index(name)].cell_contents
        return contents
    except ValueError:  # the cell is empty so far
        return None


def _has_failed(one: Any) -> bool:  # Any: a future, or what passes for one
    # not exception(): that would count as asking
    return isinstance(one, asyncio.Future) and (one.cancelled() or getattr(one, "_exception", None) is not None)
