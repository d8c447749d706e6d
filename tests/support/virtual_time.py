"""A loop whose clock jumps to the next timer whenever nothing is ready: tests wait hours in no time."""

import asyncio
import selectors
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """
    Real callbacks and real file descriptors under a virtual clock.

    Where nothing is ready, no timer is due and no thread can wake the loop, the test would hang for ever: that is
    an error here, and it says so.

    Attributes:
        patience: Seconds of real time that a thread or a file descriptor has for an answer when nothing else is left.
    """

    patience = 5.0

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        return self._now

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads: a limit of virtual time (from 3.12 on, ``asyncio.Runner`` sets one) is over at once."""
        await super().shutdown_default_executor()

    def jump(self, seconds: float) -> None:
        self._now += seconds


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]  # picked by platform
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0 if timeout is not None else self._loop.patience)
        if not events and timeout is None:
            raise RuntimeError(hangs_after(self._loop.patience))
        if not events and timeout:
            self._loop.jump(timeout)
        return events


def hangs_after(seconds: float) -> str:
    """Say what is wrong with a test that so many seconds have shown nothing of."""
    return f"nothing is ready, no timer is set, no thread answered within {seconds:g} s: this test hangs"
