"""
Who reads letters: the process that is named by the folder that they are in.

Its number may be another's by now: on Linux it is told by when it began, too, and what only waits to be buried is over.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

_DEAD: Final = ("Z", "X")

# as they are now: a test may put others in their places
_kill, _remove, _reading = os.kill, os.rmdir, open


def this_process() -> str:
    """Return what this process is known by: its number, and where that is known when it began."""
    _, began = _state_of(os.getpid())
    return f"{os.getpid()}.{began}"


def is_forsaken(folder: str) -> bool:
    """Say whether the process that a folder is named for is gone, and has not read it to the end."""
    return any(map(os.path.isdir, (folder, closed(folder)))) and not _is_running(os.path.basename(folder).split("-")[1])


def closed(folder: str) -> str:
    """Return what a folder is called while it is read for the last time."""
    return f"{folder}-closed"


def remove(folder: str) -> None:
    """Remove a forsaken folder, if nothing is left in it."""
    with suppress(OSError):
        _remove(folder)


def _is_running(process: str) -> bool:
    number, _, began = process.partition(".")
    if os.name != "posix":
        return True  # on Windows nothing asks that without harm
    try:
        _kill(int(number), 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's, and so there
        pass
    state, now = _state_of(int(number))
    return state not in _DEAD and now in ("", began)  # /proc may not show what is another user's


def _state_of(number: int) -> tuple[str, str]:
    """Return a process's state and when it began, each as Linux says it; both empty elsewhere."""
    try:
        with _reading(f"/proc/{number}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return fields[0].decode(), fields[19].decode()
    except (OSError, IndexError):
        return "", ""
