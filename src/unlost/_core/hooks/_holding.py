"""
A SIGTERM or SIGHUP that comes while the main thread tells what is left, at the end of the process or of the watching.

It waits until that is told. A supervisor may send one to a process that is ending by itself already (Hypercorn does to
its workers), and no handler that tells things could tell what is being told.
"""

from __future__ import annotations

import _thread
import os
import signal
import threading
from types import FrameType

from unlost._core._clock import monotonic
from unlost._core.hooks._ending import ENDING, LONGEST, NO_THREAD, end, is_main_thread, is_ours, untold
from unlost._core.hooks._replaced import Undo, together


def hold_termination() -> Undo:
    """
    Let SIGTERM and SIGHUP wait until what this returns is called, where ``before_termination`` has that signal.

    The process then ends by it, ``LONGEST`` seconds after the first one at the latest, told or not. It does not wait in
    a process that was forked meanwhile, nor where nothing measures that time: no thread can be started any more, and
    the program has SIGALRM. Main thread only; elsewhere nothing is done.
    """
    return together([_hold(number) for number in ENDING])


def _hold(ending: signal.Signals) -> Undo:
    before = signal.getsignal(ending)
    if not is_main_thread() or not is_ours(before):
        return lambda: None
    process = os.getpid()
    came: list[float] = []
    released = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(monotonic())
        is_here = os.getpid() == process
        if is_here and (came[-1] - came[0] < LONGEST if len(came) > 1 else _comes_again(ending, released)):
            return
        signal.signal(number, signal.SIG_DFL)
        why = (NO_THREAD,) if len(came) == 1 else ()
        end(number, untold(ending.name, *why) if is_here else "")

    def release() -> None:
        released.set()
        if signal.getsignal(ending) is not handle or os.getpid() != process:
            return
        signal.signal(ending, before if is_ours(before) and not came else signal.SIG_DFL)
        if came:
            end(ending)

    signal.signal(ending, handle)
    return release


def _comes_again(ending: int, released: threading.Event) -> bool:
    """Send it once more after ``LONGEST`` seconds, unless it is released by then; say whether that is possible."""

    def send() -> None:
        if not released.wait(LONGEST):
            end(ending)  # the main thread's handler does: a thread cannot put the default action there

    try:
        _thread.start_new_thread(send, ())
    except RuntimeError:  # from 3.12 on no thread starts any more when the interpreter is about to end
        return _comes_by_timer(ending, released)
    return True


def _comes_by_timer(ending: int, released: threading.Event) -> bool:
    number = getattr(signal, "SIGALRM", None)  # not on Windows
    if number is None or signal.getsignal(number) is not signal.SIG_DFL or any(signal.getitimer(signal.ITIMER_REAL)):
        return False

    def send(_number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        if not released.is_set():
            end(ending)  # as above

    signal.signal(number, send)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    return True
