"""What ends a process or asks it how it is, from outside: signals that nothing else has taken."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, TypeAlias

from unlost._core.hooks._forks import on_fork
from unlost._core.hooks._replaced import Undo

_Handler: TypeAlias = Callable[[int, FrameType | None], None]

_ours: Final[dict[_Handler, int]] = {}
_aside: Final[dict[int, _Handler]] = {}
_is_fork_watched = False


def is_ours(handler: object) -> bool:
    """Tell whether a signal's handler is one of ours, that only speaks before the default action."""
    return handler in _ours


def before_termination(say: Callable[[], object]) -> Undo:
    """
    Call ``say`` before SIGTERM ends the process, which it does as ever, by the signal.

    Only from the main thread, and only where nobody handles the signal; ``atexit`` does not run then. A process that is
    forked meanwhile has the default action. Where the main thread is in C code that does not come back, the end waits
    for that, which it would not without.
    """

    def speak() -> None:
        try:
            say()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)

    return _on_default(signal.SIGTERM, speak)


def on_request(number: int, say: Callable[[], object]) -> Undo:
    """Call ``say`` for each signal of this number (SIGUSR1), unless somebody handles it. Main thread only."""
    return _on_default(number, say)


def _on_default(number: int, say: Callable[[], object]) -> Undo:
    if not _is_main_thread() or signal.getsignal(number) is not signal.SIG_DFL:
        return lambda: None
    _keep_out_of_forks()

    def handle(_number: int, _frame: FrameType | None) -> None:
        say()

    signal.signal(number, handle)
    _ours[handle] = number

    def undo() -> None:
        if handle in _ours and _is_main_thread() and signal.getsignal(number) is handle:
            signal.signal(number, signal.SIG_DFL)
        _ours.pop(handle, None)

    return undo


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _keep_out_of_forks() -> None:
    """
    Give a forked child the default actions, from its first instruction on.

    Not only once it runs: Python forgets a signal that comes before that, and the child would live on.
    """
    global _is_fork_watched  # once for each process: it cannot be taken back
    if not _is_fork_watched:
        on_fork(_step_aside, _step_back, _leave)
    _is_fork_watched = True


def _step_aside() -> None:
    if _is_main_thread():
        for handler, number in _ours.items():
            if signal.getsignal(number) is handler:
                signal.signal(number, signal.SIG_DFL)
                _aside[number] = handler


def _step_back() -> None:
    for number, handler in _aside.items():
        signal.signal(number, handler)
    _aside.clear()


def _leave() -> None:
    for handler, number in _ours.items():  # what was forked in another thread has that for its main one
        if signal.getsignal(number) is handler:
            signal.signal(number, signal.SIG_DFL)
    _ours.clear()
    _aside.clear()
