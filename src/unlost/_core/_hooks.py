"""The only file that installs process-wide hooks (held by ``tests/house``)."""

from __future__ import annotations

import asyncio
import atexit
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_signals(handler: Callable[[signal.Signals], object]) -> Iterator[None]:
    """
    Call ``handler`` on the running loop for each SIGINT and SIGTERM, in place of what they do, until the block ends.

    The handlers that were there before come back afterwards. Main thread only.
    """
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}
    for number in signals:
        if sys.platform == "win32":
            signal.signal(number, _from_any_frame(loop, handler))
        else:
            loop.add_signal_handler(number, handler, number)
    try:
        yield
    finally:
        for number in signals:
            if sys.platform != "win32":
                loop.remove_signal_handler(number)
            signal.signal(number, before[number])


def end_by_signal() -> None:
    """Let the next SIGINT or SIGTERM end the process at once, whatever runs."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)  # not KeyboardInterrupt: who ignores cancellation would hold that up too


def at_exit(say: Callable[[], object]) -> None:
    """Call ``say`` when the interpreter exits."""
    atexit.register(say)


def _from_any_frame(
    loop: asyncio.AbstractEventLoop, handler: Callable[[signal.Signals], object]
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(handler, signal.Signals(number))

    return handle
