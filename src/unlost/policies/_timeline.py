"""One clock over several loops."""

from __future__ import annotations

from asyncio import AbstractEventLoop, get_running_loop
from weakref import ref

from unlost._core import monotonic


class Timeline:
    """
    The clock of whichever loop runs, made one time.

    As long as one loop asks, it goes with that loop's clock. Loops have clocks of their own: virtual ones start at 0.
    Where another loop asks than before, time goes on from where it was, by what has really passed; outside of loops,
    that is all it does.

    Use it under a lock: it may be asked from several threads.
    """

    __slots__ = ("_latest", "_loop", "_offset", "_real_offset")

    def __init__(self) -> None:
        self._loop: ref[AbstractEventLoop] | None = None
        self._offset = 0.0  # from the loop's clock to this one
        self._real_offset: float | None = None  # from the real clock to this one; None before the first loop
        self._latest = 0.0

    def now(self) -> float:
        """Return the time, in seconds from wherever it started."""
        loop = running_loop()
        if loop is None:
            return self._really_now()
        time = loop.time()
        if self._loop is None or self._loop() is not loop:
            self._go_on_with(loop, time)
        self._latest = time + self._offset
        return self._latest

    def _go_on_with(self, loop: AbstractEventLoop, time: float) -> None:
        if self._loop is None and self._real_offset is None:
            self._real_offset = time - monotonic()
        else:
            self._offset = self._really_now() - time
        self._loop = ref(loop)

    def _really_now(self) -> float:
        real = monotonic()
        if self._real_offset is None:
            self._real_offset = 0.0
        self._latest = max(self._latest, real + self._real_offset)
        return self._latest


def running_loop() -> AbstractEventLoop | None:
    """Return the loop that runs in this thread, or None."""
    try:
        return get_running_loop()
    except RuntimeError:
        return None
