"""
A process that ends itself by a signal.

Servers do, so that whoever started them sees what they ended by: uvicorn takes SIGTERM, stops in good order, puts back
what had stood there, and raises the signal again. That runs no ``atexit``, and where the application was imported after
the server had taken the signal, what had stood there is the default action, and no handler of ours.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from unlost._core.hooks._ending import hold_up_for, is_taken_in_c
from unlost._core.hooks._replaced import Switch, Undo, replace, together

_ENDING: Final = frozenset(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP", "SIGINT")
    if hasattr(signal, name)  # no SIGHUP on Windows
)


def before_own_signal(say: Callable[[str], object]) -> Undo:
    """
    Call ``say`` with the name of the signal before this process sends itself a SIGTERM, SIGHUP or SIGINT that ends it.

    That is by ``signal.raise_signal``, or by ``os.kill`` with the process's own id (not 0, nor a group's), in any
    thread, while the default action stands and that thread does not block the signal; it is sent as ever. What
    ``signal.pthread_kill``, ``os.killpg`` and C code send is not seen. ``say`` runs in a thread of its own, as whoever
    sends it may have any lock in its hands, and holds that up for ``LONGEST`` seconds at most.
    """
    is_said = False

    def speak(number: object) -> None:
        nonlocal is_said
        if not is_said and isinstance(number, int) and _ends_process(number):
            is_said = True
            hold_up_for(say, signal.Signals(number).name)

    return together([replace(signal, "raise_signal", _raising(speak)), replace(os, "kill", _killing(speak))])


def _raising(speak: Callable[[object], None]) -> Callable[[Any, Switch], Any]:  # Any: the function
    def make(original: Any, switch: Switch) -> Any:  # Any: as above
        def raise_signal(number: object, /) -> object:
            if switch.on:
                speak(number)
            return original(number)

        return _named(raise_signal, original, signal.__name__)

    return make


def _killing(speak: Callable[[object], None]) -> Callable[[Any, Switch], Any]:  # Any: as above
    def make(original: Any, switch: Switch) -> Any:  # Any: as above
        def kill(process: object, number: object, /) -> object:
            if switch.on and process == os.getpid():
                speak(number)
            return original(process, number)

        return _named(kill, original, os.__name__)

    return make


def _named(replacement: Any, original: Any, module: str) -> Any:  # Any: functions
    wraps(original)(replacement)
    replacement.__module__ = module  # where pickle finds it: in that of the original is the original
    return replacement


def _ends_process(number: int) -> bool:
    is_default = number in _ENDING and signal.getsignal(number) is signal.SIG_DFL
    return is_default and not is_taken_in_c(number) and not _is_blocked(number)


def _is_blocked(number: int) -> bool:
    """Say whether it would wait; that of ``os.kill`` may still go to another thread, and nothing is told then."""
    return sys.platform != "win32" and number in signal.pthread_sigmask(signal.SIG_BLOCK, ())
