"""A thread that looks around every few seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from weakref import WeakSet

from unlost._core import monotonic
from unlost._core.hooks import on_fork

_ticking: WeakSet[Ticker] = WeakSet()
_is_fork_watched = False


class Ticker:
    """
    Calls ``look(now)`` every ``seconds``, from a daemon thread, until ``stop``; in a forked child from one of its own.

    ``look`` must not raise.
    """

    def __init__(self, look: Callable[[float], object], seconds: float) -> None:
        global _is_fork_watched  # once for each process: it cannot be taken back
        self._look = look
        self._seconds = seconds
        if not _is_fork_watched:
            on_fork(_nothing, _nothing, _start_again)
        _is_fork_watched = True
        self.start()

    def start(self) -> None:
        """Begin; again in a child, which has none of its parent's threads."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="unlost-watch", daemon=True)
        _ticking.add(self)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end; a call from another thread waits for that, as long as one look may take to come."""
        _ticking.discard(self)
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(self._seconds)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._look(monotonic())


def _start_again() -> None:
    for ticker in tuple(_ticking):
        ticker.start()


def _nothing() -> None:
    """Have nothing to put away: a thread that is not in the child does no harm there."""
