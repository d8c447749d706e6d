"""The command line in trouble: killed at the n-th thing that it does to files, or without room for more bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from support.command import CommandLine

KILLED = -9


@contextmanager
def killed_at(unlost: CommandLine, number: int) -> Iterator[None]:
    """
    Let the commands of the block be killed with SIGKILL just before the n-th time (from 1) that they change files.

    Counted is what Python tells its audit hooks: each opening for writing, deletion, renaming and truncation of a file
    in the command's folder, and each connection to a database there.
    """
    with _environment(unlost, UNLOST_TEST_KILL_AT=str(number), UNLOST_TEST_FOLDER=str(unlost.folder)):
        yield


@contextmanager
def without_room(unlost: CommandLine, size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes in the commands of the block: each such write fails, as on a full disk."""
    with _environment(unlost, UNLOST_TEST_LIMIT=str(size)):
        yield


@contextmanager
def _environment(unlost: CommandLine, **variables: str) -> Iterator[None]:
    folder = unlost.folder.parent / f"{unlost.folder.name}-environment"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_TROUBLE, encoding="utf-8")
    before = unlost.environment
    unlost.environment = {**before, **variables, "PYTHONPATH": str(folder)}
    try:
        yield
    finally:
        unlost.environment = before


_TROUBLE = """
import os, resource, signal, sys

limit = os.environ.get("UNLOST_TEST_LIMIT")
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))

left = int(os.environ.get("UNLOST_TEST_KILL_AT", "0"))
folder = os.environ.get("UNLOST_TEST_FOLDER", "")
changing = {"open", "os.remove", "os.rename", "os.truncate", "os.mkdir", "sqlite3.connect"}


def count(event, arguments):
    global left
    if event not in changing or not isinstance(arguments[0], (str, bytes)):
        return
    if event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        return
    name = os.fsdecode(arguments[0]).removeprefix("file://")
    if os.path.abspath(name).startswith(folder) and "__pycache__" not in name:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


if left:
    sys.addaudithook(count)
"""
