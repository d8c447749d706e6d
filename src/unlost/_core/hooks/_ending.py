"""What ends a process or asks it how it is, from outside: signals that nothing else has taken."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

from unlost._core.hooks._replaced import Switch, Undo

_ours: Final[set[object]] = set()


def is_ours(handler: object) -> bool:
    """Tell whether a signal's handler is one of ours, that only speaks before the default action."""
    return handler in _ours


def before_termination(say: Callable[[], object]) -> Undo:
    """
    Call ``say`` before SIGTERM ends the process, which it does as ever, by the signal.

    Only from the main thread, and only where nobody handles the signal; ``atexit`` does not run then. A process that is
    forked meanwhile ends without a word: what there was to say is its parent's. Where the main thread is in C code that
    does not come back, the end waits for that, which it would not without.
    """

    def speak() -> None:
        try:
            say()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)

    def end_alone() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)

    return _on_default(signal.SIGTERM, speak, end_alone)


def on_request(number: int, say: Callable[[], object]) -> Undo:
    """Call ``say`` for each signal of this number (``signal.SIGUSR1``), unless somebody handles it. Main thread only."""
    return _on_default(number, say, lambda: None)


def _on_default(number: int, here: Callable[[], object], forked: Callable[[], object]) -> Undo:
    switch = Switch()
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(number) is not signal.SIG_DFL:
        switch.on = False
        return lambda: None
    owner = os.getpid()

    def handle(_number: int, _frame: FrameType | None) -> None:
        (here if switch.on and os.getpid() == owner else forked)()

    signal.signal(number, handle)
    _ours.add(handle)

    def undo() -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if switch.on and is_main and signal.getsignal(number) is handle:
            signal.signal(number, signal.SIG_DFL)
        switch.on = False
        _ours.discard(handle)

    return undo
