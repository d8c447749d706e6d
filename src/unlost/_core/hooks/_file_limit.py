"""A write of ours past the size that files may have: it fails, and does not end the process by SIGXFSZ."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable


def past_file_limit(write: Callable[[], int]) -> int:
    """
    Call it, and let no SIGXFSZ come of that; return what it returns.

    Python ignores that signal, but the program may have it otherwise. Only this thread blocks it meanwhile, so what
    other threads write is answered as ever. On macOS and Windows nothing is done.
    """
    if sys.platform != "linux" or signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN:
        return write()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGXFSZ])
    try:
        return write()
    finally:
        if signal.SIGXFSZ not in before:
            signal.sigtimedwait([signal.SIGXFSZ], 0)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
