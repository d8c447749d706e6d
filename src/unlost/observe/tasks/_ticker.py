"""A thread that looks around every few seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable

from unlost._core import monotonic


class Ticker:
    """
    Calls ``look(now)`` every ``seconds``, from a daemon thread, until ``stop``.

    After a fork there is none in the child. ``look`` must not raise.
    """

    def __init__(self, look: Callable[[float], object], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="unlost-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end; a call from another thread waits for that."""
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(self._seconds)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._look(monotonic())
