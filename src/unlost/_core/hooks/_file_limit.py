"""A write of ours past the size that files may have: it fails, and does not end the process by SIGXFSZ."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable


def past_file_limit(write: Callable[[], int]) -> int:
    """
    Call it, and let no SIGXFSZ come of that; return what it returns.

    Python ignores that signal, but the program may have it otherwise, or block it: then one that is ignored now waits,
    too. What waited before still does. Only this thread blocks it meanwhile, so what other threads write is answered as
    ever. On macOS and Windows nothing is done.
    """
    if sys.platform != "linux":
        return write()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGXFSZ])
    is_programs = signal.SIGXFSZ in signal.sigpending()
    try:
        return write()
    finally:
        if not is_programs:
            signal.sigtimedwait([signal.SIGXFSZ], 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
