"""
A SIGTERM that comes while the main thread tells what is left, at the end of the process or of the watching.

It waits until that is told. A supervisor may send one to a process that is ending by itself already (Hypercorn does to
its workers), and no handler that tells things could tell what is being told.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

from unlost._core._clock import monotonic
from unlost._core.hooks._ending import LONGEST, end, is_main_thread, is_ours
from unlost._core.hooks._replaced import Undo


def hold_termination() -> Undo:
    """
    Let SIGTERM wait until what this returns is called, where ``before_termination`` has that signal.

    The process then ends by it. It does not wait where it comes again after ``LONGEST`` seconds, nor in a process that
    was forked meanwhile. Main thread only; elsewhere nothing is done.
    """
    before = signal.getsignal(signal.SIGTERM)
    if not is_main_thread() or not is_ours(before):
        return lambda: None
    process = os.getpid()
    came: list[float] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(monotonic())
        if os.getpid() != process or came[-1] - came[0] > LONGEST:
            signal.signal(number, signal.SIG_DFL)
            end()

    def release() -> None:
        if signal.getsignal(signal.SIGTERM) is not handle or os.getpid() != process:
            return
        signal.signal(signal.SIGTERM, before if is_ours(before) and not came else signal.SIG_DFL)
        if came:
            end()

    signal.signal(signal.SIGTERM, handle)
    return release
