"""
One writer for a journal: an advisory lock on a file beside it.

The lock dies with its process, however that ends. The file holds the owner's process id, for the message that a second
writer gets. It stays behind until its run is purged; who had it open by then, and gets the lock, is told.
"""

from __future__ import annotations

import os
import sys
import time
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


_GLANCES = 5
_GLANCE = 0.01
"""How often, and after how many seconds, to look again: ``is_held`` takes the lock for a moment to see."""


class Locked(UsageError):
    """Another process writes this run."""


class Lock:
    """
    Held from construction until ``release``.

    Raises:
        Locked: Another process holds it; the message has its process id, and whether it is stopped.
        UsageError: The file cannot be made.
    """

    def __init__(self, path: Path, run: str) -> None:
        try:
            # O_CLOEXEC is Python's default: a program that a job starts does not inherit the lock
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as opening_error:
            raise UsageError(
                f"cannot make the lock of run {run}, {path}: {opening_error.strerror}.\n"
                "Its folder must be writable for this user: --folder DIR names another."
            ) from opening_error
        if not self._taken():
            owner = os.pread(self._descriptor, 32, 1).decode("ascii", "replace").strip() if os.name == "posix" else ""
            os.close(self._descriptor)
            raise Locked(_message(run, owner))
        if not _is_at(path, self._descriptor):
            os.close(self._descriptor)
            raise UsageError(f"run {run} was purged by another process just now.\nWrite --new to start another run")
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, f"\n{os.getpid()}\n".encode())  # byte 0 is what Windows locks

    def _taken(self) -> bool:
        for _ in range(_GLANCES):
            if try_lock(self._descriptor):
                return True
            time.sleep(_GLANCE)
        return False

    def release(self) -> None:
        os.close(self._descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock an open file until it is closed, by this process or by its end; False where somebody else has it."""
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):  # what Linux and macOS, and what Windows say
        return False
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def is_held(path: Path) -> bool:
    """Tell whether some process holds the lock; never waits, changes nothing."""
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDONLY)  # all that a folder of somebody else's may allow
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


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
