"""
What somebody still holds when the watching ends: a task that was never asked, or what came out of one.

Only the first is undelivered. Whether a future was asked is what asyncio itself keeps, to log it if it never was.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Iterator
from typing import Any, Final

from unlost.observe.watch._tracked import leaves_of, tracker_of
from unlost.observe.watch._tracker import Tracker

# that in C and that in Python
_FUTURES: Final = (asyncio.Future, asyncio.futures._PyFuture)  # type: ignore[attr-defined]  # not in the stubs


def finish_held(trackers: Iterable[Tracker]) -> None:
    """Give the verdict on exceptions that somebody still holds."""
    held = list(trackers)
    unasked = {id(tracker) for tracker in _in_unasked_futures()} if any(map(Tracker.may_be_unasked, held)) else set()
    for tracker in held:
        tracker.finish(is_held=True, is_unasked=id(tracker) in unasked)


def _in_unasked_futures() -> Iterator[Tracker]:
    for error in _unasked_errors():
        for leaf in leaves_of(error):
            if (tracker := tracker_of(leaf)) is not None:
                yield tracker


def _unasked_errors() -> Iterator[BaseException]:
    for one in gc.get_objects():
        # not isinstance: it would ask a proxy for its __class__, which runs code
        if issubclass(type(one), _FUTURES):
            future: asyncio.Future[Any] = one  # Any: whatever it would have returned
            error = getattr(future, "_exception", None)
            if isinstance(error, BaseException) and getattr(future, "_log_traceback", False):
                yield error
