"""
The futures and tasks that have an error when the watching ends, those in C and those in Python.

Whether one was asked is what asyncio itself keeps, to log it if it never was; to look at that is not to ask.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Any, Final, TypeAlias

AnyFuture: TypeAlias = asyncio.Future[Any]  # Any: whatever it would have returned

# that in C and that in Python
_FUTURES: Final = (asyncio.Future, asyncio.futures._PyFuture)  # type: ignore[attr-defined]  # not in the stubs


class Futures:
    """
    One look at all of them, which takes as long as the program is large.

    Attributes:
        unasked: Those with an error that nobody asked for.
        asked: The ids of the errors that others have, which were asked.
        awaited: The ids of those that a task waits for just now, and will be asked by that.
        faults: What was raised by looking at one: a subclass of somebody's that is not made yet, or asks for more.
    """

    def __init__(self) -> None:
        self.unasked: list[AnyFuture] = []
        self.asked: set[int] = set()
        self.awaited: set[int] = set()
        self.faults: list[Exception] = []
        known: dict[int, bool] = {}
        for one in gc.get_objects():
            kind = type(one)  # not isinstance: it would ask a proxy for its __class__, which runs code
            is_future = known.get(id(kind))
            if is_future is None:
                is_future = known[id(kind)] = issubclass(kind, _FUTURES)
            if is_future:
                try:
                    self._look_at(one)
                except Exception as fault:  # counted: the others have to be looked at  # noqa: BLE001
                    self.faults.append(fault)

    def _look_at(self, future: AnyFuture) -> None:
        if (waiting := getattr(future, "_fut_waiter", None)) is not None:
            self.awaited.add(id(waiting))
        error = error_in(future)
        if error is None:
            return
        if getattr(future, "_log_traceback", False):
            self.unasked.append(future)
        else:
            self.asked.add(id(error))


def error_in(future: AnyFuture) -> BaseException | None:
    """Return what a future failed with."""
    error: object = getattr(future, "_exception", None)
    return error if isinstance(error, BaseException) else None
