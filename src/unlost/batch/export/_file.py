"""A file that appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from unlost.batch._sync import sync
from unlost.errors import UsageError


def write_file(path: Path, lines: Iterable[bytes], *, replace: bool = False) -> int:
    """
    Write lines to a file that is not there yet; return how many.

    They go into a hidden file beside it, ``.NAME.PID.part``, which takes its place when it is durable: a process that
    is killed meanwhile leaves only that. A symbolic link is followed and stays one.

    Args:
        path: Of the file.
        lines: Line ends included; memory does not grow with them.
        replace: Whether to replace a file that is there.

    Raises:
        UsageError: It is there, or is no regular file, or cannot be written.
    """
    _check(path, replace=replace)
    final = path.resolve()
    part = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        try:
            count = _write(part, lines)
            _check(path, replace=replace)  # it took a while
            os.replace(part, final)
        except BaseException:
            with suppress(OSError):  # it could not be made in the first place
                part.unlink()
            raise
    except OSError as writing_error:
        raise UsageError(f"cannot write {path}: {writing_error.strerror}") from writing_error
    return count


def _check(path: Path, *, replace: bool) -> None:
    if not path.exists():
        return
    if path.is_dir():
        raise UsageError(f"--out {path} is a folder.\nName a file in it: --out {path / 'export.jsonl'}")
    if not path.is_file():
        raise UsageError(f"--out {path} is not a regular file.\nLeave --out out, and write: > {path}")
    if not replace:
        raise UsageError(f"--out {path} is there already.\nName another file, or write --force to replace it")


def _write(part: Path, lines: Iterable[bytes]) -> int:
    count = 0
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    with open(descriptor, "wb") as file:
        for line in lines:
            file.write(line)
            count += 1
        file.flush()
        sync(descriptor)
    return count
