"""
Who reads letters: the process that is named by the folder that they are in.

Its number may be another's by now: on Linux it is told by when it began, too, and what only waits to be buried is over.
There the numbers of a container are its own: of what is in another one it is not known whether it runs, so it does.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from unlost._core import wall

_DEAD: Final = ("Z", "X")

# as they are now: a test may put others in their places
_kill, _stat, _scan, _reading = os.kill, os.stat, os.scandir, open

_PROCESS: Final = r"[0-9]+\.[0-9]*\.[0-9]*"
_OURS: Final = re.compile(rf"unlost-{_PROCESS}-[0-9a-f]{{16}}(-closed)?")
_LETTERS: Final = re.compile(rf"({_PROCESS})-[0-9a-f]{{8}}")
_DAY: Final = 86_400.0


def this_process() -> str:
    """Return what this process is known by: its number, and where that is known when it began and who counts it."""
    _, began = _state_of(os.getpid())
    return f"{os.getpid()}.{began}.{_namespace()}"


def is_forsaken(folder: str) -> bool:
    """Say whether the process that a folder is named for is gone, and has not read it to the end."""
    return any(map(os.path.isdir, (folder, closed(folder)))) and not is_running(os.path.basename(folder).split("-")[1])


def closed(folder: str) -> str:
    """Return what a folder is called while it is read for the last time."""
    return f"{folder}-closed"


def forsaken_for_a_day(place: str) -> Iterator[str]:
    """
    Yield this user's folders in a place that nobody has read to the end, and nobody has written to for a day.

    None of their processes runs any more: neither who was to read, nor any that has letters there, and might tell them.
    """
    if os.name != "posix":
        return  # as below
    with _scan(place) as scanned:
        for entry in scanned:
            if _OURS.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                is_ours = entry.stat(follow_symlinks=False).st_uid == os.getuid()
                if is_ours and not is_running(entry.name.split("-")[1]) and _is_left(entry):
                    yield entry.path


def _is_left(folder: os.DirEntry[str]) -> bool:
    """Say whether nobody has written there for a day, and nobody who did still runs."""
    with _scan(folder.path) as scanned:
        letters = list(scanned)
    if max(one.stat(follow_symlinks=False).st_mtime for one in (folder, *letters)) >= wall() - _DAY:
        return False
    return not any(is_running(named[1]) for one in letters if (named := _LETTERS.fullmatch(one.name)))


def is_running(process: str) -> bool:
    """Say whether a process runs that is known by this."""
    number, began, namespace = [*process.split("."), "", ""][:3]
    if os.name != "posix" or (namespace and namespace != _namespace()):
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


def _namespace() -> str:
    """Return who counts processes here; empty where Linux does not say it."""
    try:
        return str(_stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return ""
