"""
``gather``: what its other operations fail with.

What has failed by the time the first error comes out is attached to that one. What runs on is left to asyncio, which
tells of its error when nobody looks at it; ``gather`` would look at it, and drop it. What comes out of a call that was
cancelled carries all failures, even with ``return_exceptions=True``.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from typing import Any, Final

from unlost._core.hooks import Switch, Undo, replace
from unlost.observe.patch._callbacks import Callback, error_of, find_callback
from unlost.observe.patch._kept import Kept

_WHAT: Final = "gather() was cancelled, and this is what one of its operations failed with"
_FAILED: Final = "gather() raised what this was raised from"
_CALLBACK: Final = "gather.<locals>._done_callback"


def keep_gathered(kept: Kept) -> Undo:
    """Let the futures that ``gather`` returns see to it; who imported ``gather`` before has that too."""

    def make(original: Any, switch: Switch) -> Any:  # Any: the method of Future
        def set_exception(self: Any, exception: Any, /) -> None:  # Any: the private class; an error or its class
            original(self, exception)
            if switch.on:
                kept.guard(lambda: _keep_the_others(self, kept))

        return set_exception

    return replace(asyncio.tasks._GatheringFuture, "set_exception", make)  # type: ignore[attr-defined]  # private


def _keep_the_others(outer: Any, kept: Kept) -> None:  # Any: the private class
    error: BaseException | None = outer._exception
    if error is None:
        return
    failed = []
    for child in outer._children:
        if not child.done():
            _leave_to_asyncio(child, outer, kept)
        elif (other := error_of(child)) is not None and not isinstance(other, CancelledError):
            failed.append(other)
    kept.attach(error, failed, _WHAT if isinstance(error, CancelledError) else _FAILED)


def _leave_to_asyncio(child: Any, outer: Any, kept: Kept) -> None:  # Any: futures of any kind
    found = find_callback(child, _CALLBACK, "outer", outer)
    if found is not None:
        callback, context = found
        child.remove_done_callback(callback)
        child.add_done_callback(_RunsOn(callback, kept), context=context)
        kept.left += 1


class _RunsOn:
    """In place of the callback by which ``gather`` would drop an error; keeps alive what that one kept alive."""

    __slots__ = ("_callback", "_kept")

    def __init__(self, callback: Callback, kept: Kept) -> None:
        self._callback = callback
        self._kept = kept

    def __call__(self, child: object) -> None:
        """Let asyncio tell of its error, if it has one and nobody asks."""
        self._kept.leave_to_asyncio(error_of(child))
