"""A loop whose clock jumps to the next timer whenever nothing is ready: tests wait hours in no time."""

import asyncio
import selectors
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """
    Real callbacks and real file descriptors under a virtual clock.

    Where nothing is ready, no timer is due and no thread can wake the loop, the test would hang for ever: that is
    an error here, and it says so.
    """

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._now

    def jump(self, seconds: float) -> None:
        self._now += seconds


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]  # picked by platform
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0 if timeout is not None else 5)
        if not events and timeout is None:
            raise RuntimeError("nothing is ready, no timer is set, no thread answered within 5 s: this test hangs")
        if not events and timeout:
            self._loop.jump(timeout)
        return events
