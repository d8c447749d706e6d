"""
One writer for a journal: an advisory lock on a file beside it.

The lock dies with its process, however that ends. The file holds the owner's process id, for the message that a second
writer gets; it stays behind, since removing it would race with who opens it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from unlost.errors import UsageError

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Locked(UsageError):
    """Another process writes this run."""


class Lock:
    """
    Held from construction until ``release``.

    Raises:
        Locked: Another process holds it; the message has its process id, and whether it is stopped.
    """

    def __init__(self, path: Path, run: str) -> None:
        # O_CLOEXEC is Python's default: a job's child process does not inherit the lock
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except OSError as held_elsewhere:
            owner = os.pread(self._descriptor, 32, 1).decode("ascii", "replace").strip() if os.name == "posix" else ""
            os.close(self._descriptor)
            raise Locked(_message(run, owner)) from held_elsewhere
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, f"\n{os.getpid()}\n".encode())  # byte 0 is what Windows locks

    def release(self) -> None:
        os.close(self._descriptor)


def is_held(path: Path) -> bool:
    """Tell whether some process holds the lock; never waits, changes nothing."""
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        _lock(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _message(run: str, owner: str) -> str:
    if owner and _is_stopped(owner):
        return (
            f"run {run} belongs to process {owner}, which is stopped (SIGSTOP or Ctrl-Z).\n"
            f"Let it go on: kill -CONT {owner}. Or end it: kill -KILL {owner}; then type the same command again."
        )
    who = f"process {owner}" if owner else "another process"
    return f"run {run} is being written by {who}.\nWait for it, or end it; or start another run: --new"


def _is_stopped(owner: str) -> bool:
    """Tell whether the process is stopped, where the system says so without a library (Linux)."""
    try:
        stat = Path("/proc", owner, "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] in (["T"], ["t"])
