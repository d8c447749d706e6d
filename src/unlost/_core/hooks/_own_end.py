"""
A process that ends itself without a word to anybody: by ``os._exit``, or as another program by ``os.exec*``.

A parent does so that leaves the rest to its child (a daemon is made so), and a server that starts itself anew.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from threading import Event
from typing import Any, Final

from unlost._core.hooks._ending import aside_from_all, hold_up_for
from unlost._core.hooks._replaced import Switch, Undo, replace, together

_STATUSES: Final = range(-(2**31), 2**31)  # what C takes for one


def before_own_end(say: Callable[[str], object], go_on: Callable[[str], object]) -> Undo:
    """
    Call ``say`` with the name of the function before this process, and none that it forks, ends itself so.

    That is in any thread; of ``exec``, where there is a file that can be run. It may be refused all the same (its
    interpreter is not there, the arguments are too many): then ``go_on`` is called with that name, and what refused it
    comes out as ever. As with a signal, ``say`` runs aside and holds that up for two seconds at most. Neither
    may raise.
    """
    process = os.getpid()

    def make(name: str, will_end: Callable[..., bool]) -> Undo:
        return replace(os, name, _wrapped(f"os.{name}", will_end, process, say, go_on))

    return together([make("_exit", _is_status), make("execv", _can_run), make("execve", _can_run)])


def _wrapped(
    name: str,
    will_end: Callable[..., bool],
    process: int,
    say: Callable[[str], object],
    go_on: Callable[[str], object],
) -> Callable[[Any, Switch], Any]:  # Any: functions, and what they are called with
    def make(original: Any, switch: Switch) -> Any:  # Any: as above
        @wraps(original)
        def replacement(*args: Any, **kwargs: Any) -> Any:  # Any: as above
            if not switch.on or os.getpid() != process or not will_end(*args, **kwargs):
                return original(*args, **kwargs)
            said = hold_up_for(say, name)
            try:
                return original(*args, **kwargs)
            finally:  # it has been refused, or a test has put something in its place
                _after(said, lambda: go_on(name))

        replacement.__module__ = os.__name__  # where pickle finds it: in that of the original is the original
        return replacement

    return make


def _after(said: Event, go_on: Callable[[], object]) -> None:
    """Go on once it is said; who has been held up for that is not so for longer."""
    if said.is_set():
        go_on()
        return
    with suppress(RuntimeError):  # there can be no thread any more
        aside_from_all(lambda: said.wait() and go_on())


def _is_status(*args: Any, **kwargs: Any) -> bool:  # Any: as above
    try:
        (status,) = (*args, *kwargs.values())
        return operator.index(status) in _STATUSES
    except Exception:  # the function itself refuses it  # noqa: BLE001
        return False


def _can_run(*args: Any, **kwargs: Any) -> bool:  # Any: as above
    file: Any = args[0] if args else kwargs.get("path")  # as above
    try:
        return isinstance(file, int) or (os.path.isfile(file) and os.access(file, os.X_OK))
    except (TypeError, ValueError):  # as above
        return False
