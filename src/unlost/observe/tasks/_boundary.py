"""
Tasks' ends, where the interpreter cannot tell who takes an exception.

What left a task is followed from there: who waited for that task, whether somebody was told, and that it died. What is
handled or swallowed inside of a task is not seen at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from types import CellType
from typing import Any, Final

from unlost._core.hooks import Making, Task
from unlost.errors import attached
from unlost.observe.watch import Verdict, Waiter, left_task, waiter_of

_MOST: Final = 16
_TELLING: Final = ("gather", "callback", "a concurrent future", "unlost")
_GATHER: Final = "gather.<locals>._done_callback"


class Bounded(Task):
    """A task that remembers who asked to be called at its end; what that is by then, asyncio no longer tells."""

    __slots__ = ("_callbacks_seen",)
    _callbacks_seen: list[tuple[Callable[..., object], Context | None]]

    def add_done_callback(self, fn: Callable[..., object], /, *, context: Context | None = None) -> None:
        super().add_done_callback(fn, context=context)
        seen = getattr(self, "_callbacks_seen", None)
        if seen is None:
            self._callbacks_seen = [(fn, context)]
        elif len(seen) < _MOST:
            seen.append((fn, context))

    def remove_done_callback(self, fn: Callable[..., object], /) -> int:
        seen = getattr(self, "_callbacks_seen", None)
        if seen is not None:
            seen[:] = [pair for pair in seen if pair[0] != fn]
        return super().remove_done_callback(fn)


Bounded.__name__ = Bounded.__qualname__ = asyncio.Task.__name__
Bounded.__module__ = asyncio.Task.__module__


class _Callbacks:
    """As much of a task as tells who waits for it."""

    def __init__(self, callbacks: list[tuple[Callable[..., object], Context | None]]) -> None:
        self._callbacks = callbacks


def at_boundaries(fault: Callable[[BaseException], object]) -> Making:
    """Return how to make tasks whose ends are seen; ``fault`` is called with errors of our own."""

    def ended(task: asyncio.Task[Any]) -> None:  # Any: tasks of every result
        try:
            callbacks = getattr(task, "_callbacks_seen", None) or []
            task_error = None if task.cancelled() else getattr(task, "_exception", None)  # exception() would silence it
            if task_error is not None:
                left_task(task_error, task, _waiter(callbacks, task_error))
            callbacks.clear()  # the task may live long
        except Exception as our_error:  # counted: the loop would report it as the program's  # noqa: BLE001
            fault(our_error)

    def made(task: asyncio.Task[Any]) -> None:  # Any: as above
        asyncio.Task.add_done_callback(task, ended)

    return Making(Bounded, made, fault)


def _waiter(callbacks: list[tuple[Callable[..., object], Context | None]], error: BaseException) -> Waiter:
    """
    Return who waited, and what the exception comes to if nothing is heard of it: unknown, where it was raised again.

    That is known of the second error of a ``gather`` and of callbacks; what was returned as a value may be looked at.
    """
    waiter = waiter_of(_Callbacks(callbacks))  # type: ignore[arg-type]  # reads nothing else of a task
    if waiter.by == "gather" and waiter.state is Verdict.ABSORBED and not _is_dropped(callbacks, error):
        return Waiter(waiter.by, Verdict.UNKNOWN)
    is_known = waiter.by.startswith(_TELLING) and waiter.state is not Verdict.RETURNED
    return waiter if is_known else Waiter(waiter.by, Verdict.UNKNOWN)


def _is_dropped(callbacks: list[tuple[Callable[..., object], Context | None]], error: BaseException) -> bool:
    """Whether a gather had its first error before, and this one does not travel with that."""
    for callback, _ in callbacks:
        code = getattr(callback, "__code__", None)
        if code is not None and code.co_qualname == _GATHER and "outer" in code.co_freevars:
            cells: list[CellType] = [*(getattr(callback, "__closure__", None) or ())]
            outer = cells[code.co_freevars.index("outer")].cell_contents
            if isinstance(outer, asyncio.Future) and outer.done():
                first = None if outer.cancelled() else getattr(outer, "_exception", None)
                return first is None or not any(error is one for one in attached(first))
    return False
