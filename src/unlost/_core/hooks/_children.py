"""
The end of a process that ``multiprocessing`` has forked.

It ends with ``os._exit``, so ``atexit`` is not run. ``multiprocessing`` has a list of its own, which it clears when the
process begins, before it calls those who asked for that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from unlost._core.hooks._forks import on_fork

_LAST: Final = -1_000
_says: Final[list[Callable[[], object]]] = []
_is_met = False


def at_end_of_child(say: Callable[[], object]) -> None:
    """
    Call ``say`` at the end of each process that ``multiprocessing`` forks from now on; those given last first.

    It cannot be taken back, and it is called again in the children of children. What runs in this process does not
    change; where it is such a child itself, its own end counts too.
    """
    if not _says:
        on_fork(_nothing, _nothing, _meet)
    _says.append(say)
    _meet()


def _meet() -> None:
    """Be called when a forked process begins; again in each, as ``multiprocessing`` may be imported late."""
    global _is_met  # once for each process: it cannot be taken back, and forked children have it
    util, process = sys.modules.get("multiprocessing.util"), sys.modules.get("multiprocessing.process")
    if util is None or process is None:
        return
    if not _is_met:
        _is_met = True
        util.register_after_fork(_put_on, lambda _: _put_on())
    if process.parent_process() is not None:
        _put_on()


def _put_on() -> None:
    sys.modules["multiprocessing.util"].Finalize(None, _say_all, exitpriority=_LAST)


def _say_all() -> None:
    for say in reversed(_says):
        say()


def _nothing() -> None:
    """Have nothing to do in the parent."""
