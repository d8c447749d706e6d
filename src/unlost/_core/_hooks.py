"""Signals, and what else is installed for the whole process; for hooks that only watch see ``hooks``."""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeAlias

from unlost._core.hooks import is_ours

SignalHandler: TypeAlias = Callable[[int, FrameType | None], object]

# What a forked child has to put back: by number, the handlers that stood before ours.
_replaced: dict[int, Any] = {}  # Any: a callable, or one of the signal module's constants
_is_fork_watched = False


@contextmanager
def on_signals(handler: Callable[[signal.Signals], object]) -> Iterator[None]:
    """
    Call ``handler`` on the running loop for each SIGINT and SIGTERM, in place of what they do, until the block ends.

    Where the loop does not turn, so that nobody hears of them, the third ends the process.

    The handlers that were there before come back afterwards. Main thread only.
    """
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}
    for number in signals:
        if sys.platform == "win32":
            signal.signal(number, _from_any_frame(loop, handler))
        else:
            unheard = _Unheard(handler)
            loop.add_signal_handler(number, unheard.hear, number)
            signal.signal(number, unheard.came)  # beside the loop's, which wakes up by a file descriptor
            signal.siginterrupt(number, False)  # as the loop has it
    try:
        yield
    finally:
        for number in signals:
            if sys.platform != "win32":
                loop.remove_signal_handler(number)
            signal.signal(number, before[number])


@contextmanager
def handle_interrupts(loop: asyncio.AbstractEventLoop, handler: SignalHandler) -> Iterator[None]:
    """
    Call ``handler`` for SIGINT and SIGTERM until the block ends, between two instructions of whatever runs.

    Only in the main thread, and only where the signal still does what Python makes it do: a handler of the user's, or a
    signal that is ignored (``nohup``), stays. A child process that is forked meanwhile has what was there before.
    """
    defaults: dict[signal.Signals, Any] = {  # Any: as above
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
    }
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in defaults if is_main}
    numbers = [number for number, stood in before.items() if stood is defaults[number] or is_ours(stood)]
    for number in numbers:
        _replace(loop, number, handler)
    try:
        yield
    finally:
        for number in numbers:
            _replaced.pop(number, None)
            _unless_windows(loop, "remove_signal_handler", number)
            signal.signal(number, before[number])


def _replace(loop: asyncio.AbstractEventLoop, number: int, handler: SignalHandler) -> None:
    global _is_fork_watched  # once for each process: it cannot be taken back
    _replaced[number] = signal.getsignal(number)
    # makes the signal wake the loop even between its last instruction and its wait; what it would call is replaced
    _unless_windows(loop, "add_signal_handler", number, _do_nothing)
    signal.signal(number, handler)
    if not _is_fork_watched and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_put_back_in_child)
    _is_fork_watched = True


def _put_back_in_child() -> None:
    for number, before in _replaced.items():
        signal.signal(number, before)
    _replaced.clear()


def _unless_windows(loop: asyncio.AbstractEventLoop, method: str, *arguments: object) -> None:
    if sys.platform != "win32":
        getattr(loop, method)(*arguments)


def _do_nothing() -> None:
    """Be what the loop calls for a signal that another handler has taken."""


def on_loop_errors(loop: asyncio.AbstractEventLoop, handler: Callable[[dict[str, Any]], object]) -> None:
    """Give ``handler`` what the loop would log. Any: the loop's own dictionary, whose values are of every sort."""
    loop.set_exception_handler(lambda _loop, context: handler(context))


class _Unheard:
    """Signals of one number that came, and of which the loop has not heard."""

    def __init__(self, handler: Callable[[signal.Signals], object]) -> None:
        self._handler = handler
        self._count = 0

    def came(self, number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._count >= _MOST_UNHEARD:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    def hear(self, number: signal.Signals) -> None:
        self._count = 0
        self._handler(number)


_MOST_UNHEARD = 3


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
