"""A fork of this process: what has threads or tells things puts them away before it, and begins anew in the child."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from time import sleep
from typing import Any, Final

from unlost._core._clock import monotonic
from unlost._core.hooks._replaced import Undo

_GONE: Final = 0.1

_stat = os.stat  # as it is now: a test may put in its place what refuses to block an event loop


def on_fork(before: Callable[[], object], in_parent: Callable[[], object], in_child: Callable[[], object]) -> None:
    """
    Call ``before`` ahead of each fork, then ``in_parent`` and ``in_child``, each in its process.

    It cannot be taken back. Where there is no fork (Windows), nothing is called; a child that is started by other means
    (``subprocess``, ``spawn``) is not one. None of them may raise: that would be told on standard error, of code that
    the program does not know.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)


def wait_until_gone(*numbers: int) -> None:
    """Wait until Linux lists these threads no more: a fork by 3.12 warns of them until then, and joining is earlier."""
    end = monotonic() + _GONE
    while any(map(_is_listed, numbers)) and monotonic() < end:
        sleep(0.001)


def _is_listed(number: int) -> bool:
    try:
        _stat(f"/proc/self/task/{number}")
    except OSError:
        return False
    return True


def soon(call: Callable[[], object]) -> Undo:
    """
    Call it with the next collection of garbage, or now where there is none.

    That is after a fork: a thread that is started by ``in_parent`` is one that 3.12 still warns of. It is called in the
    middle of anything: it must not wait, take no lock that other code holds, and not raise.
    """
    if not gc.isenabled():
        call()
        return lambda: None
    waiting = [call]

    def collected(phase: str, _info: dict[str, Any]) -> None:  # Any: the interpreter's own
        if phase == "stop" and waiting:
            waiting.pop()()

    gc.callbacks.append(collected)

    def undo() -> None:
        waiting.clear()
        if collected in gc.callbacks:
            gc.callbacks.remove(collected)

    return undo
