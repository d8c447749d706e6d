"""Who waits for a task, as its callbacks tell, and what becomes of an exception that nobody takes from there."""

from __future__ import annotations

import asyncio
import functools
from types import FrameType
from typing import Any, Final, NamedTuple

from unlost.observe.watch._callback import Use, use_of
from unlost.observe.watch._handed_on import GATHER, SHIELD, another_failed, closed_over, handed_on_to
from unlost.observe.watch._verdict import Verdict


class Waiter(NamedTuple):
    """
    Attributes:
        by: In words.
        state: What the exception came to, if nothing is seen of it any more.
    """

    by: str
    state: Verdict


CHAINED: Final = Waiter("a concurrent future", Verdict.LOST)
_BY_NAME: Final = {
    "TaskGroup._on_task_done": Waiter("TaskGroup", Verdict.ABSORBED),
    "_wait.<locals>._on_completion": Waiter("wait", Verdict.RETURNED),
    "_AsCompletedIterator._handle_completion": Waiter("as_completed", Verdict.ABSORBED),
    "as_completed.<locals>._on_completion": Waiter("as_completed", Verdict.ABSORBED),
    "_release_waiter": Waiter("wait_for", Verdict.ABSORBED),
    "_chain_future.<locals>._call_set_state": CHAINED,
    "_run_until_complete_cb": Waiter("run_until_complete", Verdict.UNKNOWN),
}
_BY_STARTER: Final = {
    "TaskGroup.create_task": Waiter("TaskGroup", Verdict.ABSORBED),
    "wait": Waiter("wait", Verdict.RETURNED),
}
# where a task was never asked, asyncio says so, and that is the stronger evidence
NOBODY: Final = Waiter("", Verdict.RETURNED)
# where asyncio is not listened to, it may have said so, or the task was asked: there is no telling
UNHEARD: Final = Waiter("", Verdict.UNKNOWN)
_AWAIT: Final = Waiter("await", Verdict.UNKNOWN)
_OURS: Final = "unlost."
_STARTER_AWAY: Final = 10
_MOST_BETWEEN: Final = 10  # gathers of gathers
_NOT_WAITING: Final = "shield.<locals>._outer_done_callback"


def waiter_of(task: asyncio.Task[Any], frame: FrameType | None = None) -> Waiter:  # Any: whatever the task returns
    """
    Return who waits for a task that is about to end.

    Args:
        frame: Of its coroutine. A task that ends at once, before anybody can wait for it (3.12, eager), is still within
            the call that starts it: that tells.
    """
    if frame is not None and not _callbacks(task):
        return _starter_of(frame, task)
    return _waiter_of(task, 0)


def _waiter_of(future: asyncio.Future[Any], between: int) -> Waiter:  # Any: as above
    behind = NOBODY
    for callback in _callbacks(future):
        found = _waiter_behind(callback, future, between)
        if found is not None and found is not UNHEARD:
            return found
        behind = found or behind
    return behind


def _waiter_behind(callback: Any, future: asyncio.Future[Any], between: int) -> Waiter | None:
    # Any, above: callbacks are of any shape, futures of any result
    before = 0  # arguments before the task
    while isinstance(callback, functools.partial):
        before += len(callback.args)
        callback = callback.func
    name = getattr(callback, "__qualname__", "")
    if name == GATHER and closed_over(callback, "return_exceptions"):
        return Waiter("gather", Verdict.RETURNED)
    if name in (GATHER, SHIELD):
        return _waiter_beyond(callback, future, between, name.partition(".")[0])
    if (known := _BY_NAME.get(name)) is not None:
        return known
    if isinstance(getattr(callback, "__self__", None), asyncio.Task):  # the wakeup of a task that awaits it
        return _AWAIT
    function = getattr(callback, "__func__", callback)
    code = getattr(function, "__code__", None)
    if code is None or name == _NOT_WAITING:  # C code, such as set.discard: it looks at no exception, or who can tell
        return None
    if str(getattr(callback, "__module__", "")).startswith(_OURS):  # this library loses nothing, and tells by itself
        return Waiter("unlost", Verdict.HANDLED)
    use = use_of(code, before + (function is not callback))
    if use is Use.NOTHING:  # asyncio says so if nobody asks; whether who did drops it, there is no telling
        return UNHEARD
    return Waiter(f"callback {name}", Verdict.UNKNOWN if use is Use.TAKES else Verdict.ABSORBED)


def _waiter_beyond(callback: Any, future: asyncio.Future[Any], between: int, by: str) -> Waiter:  # Any: as above
    """
    Return who waits for what ``gather`` or ``shield`` returned, if that is given the error.

    Who awaits it may be cancelled in the same turn: then it was they who took it.
    """
    outer = handed_on_to(callback, future) if between < _MOST_BETWEEN else None
    found = _AWAIT if outer is None else _waiter_of(outer, between + 1)
    return Waiter(by, Verdict.ABSORBED) if found is _AWAIT else found


def _callbacks(future: asyncio.Future[Any]) -> list[Any]:  # Any: as above
    """Return the callbacks, of a future in C or in Python, without taking anything from it."""
    found = getattr(future, "_callbacks", None) or []
    return [pair[0] for pair in found]


def _starter_of(frame: FrameType, task: object) -> Waiter:
    """Return which of asyncio's functions a coroutine runs within at its first step."""
    above = frame.f_back
    for _ in range(_STARTER_AWAY):
        if above is None or above.f_code.co_qualname == "Handle._run":
            break
        name = above.f_code.co_qualname
        if above.f_globals.get("__package__") == "asyncio":
            if name == "gather":
                inside = above.f_locals
                if inside.get("return_exceptions"):
                    return Waiter("gather", Verdict.RETURNED)
                return Waiter("gather", Verdict.ABSORBED) if another_failed(inside.get("children"), task) else NOBODY
            if (known := _BY_STARTER.get(name)) is not None:
                return known
        above = above.f_back
    return NOBODY
