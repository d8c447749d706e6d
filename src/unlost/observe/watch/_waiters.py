"""Who waits for a task, as its callbacks tell, and what becomes of an exception that nobody takes from there."""

from __future__ import annotations

import asyncio
from typing import Any, Final, NamedTuple

from unlost.observe.watch._verdict import Verdict


class Waiter(NamedTuple):
    """
    Attributes:
        by: In words.
        state: What the exception came to, if nothing is seen of it any more.
    """

    by: str
    state: Verdict


_BY_NAME: Final = {
    "shield.<locals>._inner_done_callback": Waiter("shield", Verdict.ABSORBED),
    "TaskGroup._on_task_done": Waiter("TaskGroup", Verdict.ABSORBED),
    "_wait.<locals>._on_completion": Waiter("wait", Verdict.RETURNED),
    "_AsCompletedIterator._handle_completion": Waiter("as_completed", Verdict.ABSORBED),
    "as_completed.<locals>._on_completion": Waiter("as_completed", Verdict.ABSORBED),
    "_release_waiter": Waiter("wait_for", Verdict.ABSORBED),
    "_run_until_complete_cb": Waiter("run_until_complete", Verdict.UNKNOWN),
}
_GATHER: Final = "gather.<locals>._done_callback"
_NOBODY: Final = Waiter("", Verdict.RETURNED)  # where it was never asked for, the loop's handler hears of that first


def waiter_of(task: asyncio.Task[Any]) -> Waiter:  # Any: whatever the task returns
    """Return who waits for a task that is about to end."""
    for callback in _callbacks(task):
        name = getattr(callback, "__qualname__", "")
        if name == _GATHER:
            returns = _closed_over(callback, "return_exceptions")
            return Waiter("gather", Verdict.RETURNED if returns else Verdict.ABSORBED)
        if (known := _BY_NAME.get(name)) is not None:
            return known
        if isinstance(getattr(callback, "__self__", None), asyncio.Task):  # the wakeup of a task that awaits it
            return Waiter("await", Verdict.ABSORBED)
    return _NOBODY


def _callbacks(task: asyncio.Task[Any]) -> list[Any]:  # Any: as above; and callbacks of any shape
    """Return the callbacks, of a task in C or in Python, without taking anything from it."""
    found = getattr(task, "_callbacks", None) or []
    return [pair[0] for pair in found]


def _closed_over(function: Any, name: str) -> object:  # Any: gather's own callback
    names = function.__code__.co_freevars
    return function.__closure__[names.index(name)].cell_contents if name in names else None
