"""
A process that ends itself without a word to anybody: by ``os._exit``, or as another program by ``os.exec*``.

A parent does so that leaves the rest to its child (a daemon is made so), and a server that starts itself anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

from unlost._core.hooks._ending import hold_up_for
from unlost._core.hooks._replaced import Switch, Undo, replace, together


def before_own_end(say: Callable[[str], object]) -> Undo:
    """
    Call ``say`` with the name of the function before this process, and none that it forks, ends itself so.

    That is in any thread; of ``exec``, where there is a file that can be run, so that it is not expected to fail. As
    with a signal, ``say`` runs aside and holds that up for two seconds at most.
    """
    process = os.getpid()

    def speak(name: str) -> None:
        if os.getpid() == process:
            hold_up_for(say, f"os.{name}")

    return together(
        [
            replace(os, "_exit", _wrapped("_exit", lambda status: isinstance(status, int), speak)),
            replace(os, "execv", _wrapped("execv", _can_run, speak)),
            replace(os, "execve", _wrapped("execve", _can_run, speak)),
        ]
    )


def _wrapped(
    name: str, will_end: Callable[[Any], bool], speak: Callable[[str], None]
) -> Callable[[Any, Switch], Any]:  # Any: functions, and what they are called with
    def make(original: Any, switch: Switch) -> Any:  # Any: as above
        @wraps(original)
        def replacement(*args: Any, **kwargs: Any) -> Any:  # Any: as above
            if switch.on and will_end(next(iter((*args, *kwargs.values())), None)):
                speak(name)
            return original(*args, **kwargs)

        replacement.__module__ = os.__name__  # where pickle finds it: in that of the original is the original
        return replacement

    return make


def _can_run(file: Any) -> bool:  # Any: as above
    try:
        return isinstance(file, int) or (os.path.isfile(file) and os.access(file, os.X_OK))
    except (TypeError, ValueError):  # the function itself refuses it
        return False
