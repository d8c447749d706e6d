"""
``to_thread``, ``run_in_executor`` and ``wrap_future``: an error that comes after the awaiting task is gone.

asyncio hands the end of a thread's future on to its own. Where that one was cancelled meanwhile, or its loop is closed,
it drops an error. It is reported as soon as nobody can ask the thread's future any more, which is mostly at once.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any, Final

from unlost._core.hooks import Switch, Undo, on_lookup, replace, together
from unlost.observe.patch._kept import Kept

_GONE: Final = "a call in a thread failed after its awaiting task had been cancelled"
_CLOSED: Final = "a call in a thread failed after its event loop had been closed"


def keep_threads(kept: Kept) -> Undo:
    """Let asyncio's plumbing between futures see to it; who imported the functions before has that too."""

    def copying(original: Any, switch: Switch) -> Any:  # Any: a private function
        def _copy_future_state(source: Any, dest: Any) -> None:  # Any: futures of any kind
            original(source, dest)
            if switch.on:
                kept.guard(lambda: _keep(source, kept, _GONE) if dest.cancelled() else None)

        return _copy_future_state

    def chaining(original: Any, switch: Switch) -> Any:  # Any: as above
        def _chain_future(source: Any, destination: Any) -> None:  # Any: as above
            original(source, destination)
            if switch.on and isinstance(source, Future) and asyncio.isfuture(destination):
                source.add_done_callback(_WhenClosed(destination.get_loop(), switch, kept))

        return _chain_future

    return together(
        [
            replace(asyncio.futures, "_copy_future_state", copying),
            replace(asyncio.futures, "_chain_future", chaining),
            on_lookup(Future, "result", kept.asked),
            on_lookup(Future, "exception", kept.asked),
        ]
    )


class _WhenClosed:
    """Called in the thread, after asyncio's own callback: that one does nothing where the loop is closed."""

    __slots__ = ("_kept", "_loop", "_switch")

    def __init__(self, loop: asyncio.AbstractEventLoop, switch: Switch, kept: Kept) -> None:
        self._loop = loop
        self._switch = switch
        self._kept = kept

    def __call__(self, source: Future[Any]) -> None:  # Any: of every result
        if self._switch.on and self._loop.is_closed():
            self._kept.guard(lambda: _keep(source, self._kept, _CLOSED))


def _keep(source: Any, kept: Kept, what: str) -> None:  # Any: futures of any kind
    error = source._exception if isinstance(source, Future) else None
    if error is not None:
        kept.hang_on(source, error, what)
