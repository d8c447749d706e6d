"""
The futures and tasks that have an error when the watching ends, those in C and those in Python.

Whether one was asked is what asyncio itself keeps, to log it if it never was; to look at that is not to ask.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any, Final, TypeAlias

AnyFuture: TypeAlias = asyncio.Future[Any]  # Any: whatever it would have returned

# that in C and that in Python
_FUTURES: Final = (asyncio.Future, asyncio.futures._PyFuture)  # type: ignore[attr-defined]  # not in the stubs


class Futures:
    """
    One look at all of them, which takes as long as the program is large.

    Attributes:
        unasked: Those with an error that nobody asked for.
        errors: Theirs, by the ids of the futures.
        asked: The ids of the errors that others have, which were asked.
        awaited: The ids of those that a task waits for just now, and will be asked by that.

    Args:
        fault: Called with what was raised by looking at one: a subclass of somebody's that is not made yet, or asks for
            more. Nothing is said of that one.
    """

    def __init__(self, fault: Callable[[Exception], object]) -> None:
        self.unasked: list[AnyFuture] = []
        self.errors: dict[int, BaseException] = {}
        self.asked: set[int] = set()
        self.awaited: set[int] = set()
        known: dict[int, bool] = {}
        for one in gc.get_objects():
            kind = type(one)  # not isinstance: it would ask a proxy for its __class__, which runs code
            is_future = known.get(id(kind))
            if is_future is None:
                is_future = known[id(kind)] = issubclass(kind, _FUTURES)
            if is_future:
                try:
                    self._look_at(one)
                except Exception as raised:  # counted: the others have to be looked at  # noqa: BLE001
                    fault(raised)

    def _look_at(self, future: AnyFuture) -> None:
        if (waiting := getattr(future, "_fut_waiter", None)) is not None:
            self.awaited.add(id(waiting))
        error: object = getattr(future, "_exception", None)
        if not isinstance(error, BaseException):
            return
        if getattr(future, "_log_traceback", False):
            self.unasked.append(future)
            self.errors[id(future)] = error
        else:
            self.asked.add(id(error))
