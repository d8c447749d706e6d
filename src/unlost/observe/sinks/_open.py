"""All sinks that are open: they are flushed when the interpreter exits, and sorted out when the process forks."""

from __future__ import annotations

from typing import Protocol

from unlost._core._hooks import at_exit
from unlost._core.hooks import at_end_of_child, on_fork


class Openable(Protocol):
    """What is kept here while it is open."""

    def close(self) -> None: ...
    def before_fork(self) -> None: ...
    def after_fork(self) -> None: ...
    def begin_anew(self) -> None: ...


_open: list[Openable] = []
_hooked = False


def opened(one: Openable) -> None:
    """Note that something is open."""
    _open.append(one)
    close_at_exit()


def close_at_exit() -> None:
    """Close all that is open then, when the interpreter exits: after everything that asks for its exit later."""
    global _hooked  # once for each process: hooks of forks cannot be taken back
    if not _hooked:
        _hooked = True
        at_exit(close_all)
        at_end_of_child(close_all)
        on_fork(_before_fork, _after_fork, _begin_anew)


def closed(one: Openable) -> None:
    """Note that it is closed."""
    if one in _open:
        _open.remove(one)


def close_all() -> None:
    """Close all that is open."""
    for one in tuple(_open):
        one.close()


def _before_fork() -> None:
    for one in tuple(_open):
        one.before_fork()


def _after_fork() -> None:
    for one in tuple(_open):
        one.after_fork()


def _begin_anew() -> None:
    for one in tuple(_open):
        one.begin_anew()
