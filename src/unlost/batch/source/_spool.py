"""A durable copy of what can be read only once: standard input, a pipe, a Python iterable."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from unlost._core import wall
from unlost.batch._lock import is_held, try_lock
from unlost.batch._sync import sync

_ABANDONED = 3600.0
"""Seconds without a change after which a half spooled file that nobody locks is removed."""


def spool(chunks: Iterable[bytes], folder: Path, suffix: str) -> tuple[Path, str]:
    """
    Write ``chunks`` to a file that is named by its content; on return it is durable.

    The file appears whole or not at all. The same content gives the same file again, so spooling twice costs nothing.

    Args:
        chunks: Read once, to the end; memory does not grow with them.
        folder: Made where missing, for the owner only (inputs may hold secrets).
        suffix: Ends the file's name, dot included.

    Returns:
        The file and the SHA-256 of its content, in hex.

    Raises:
        OSError: The folder cannot be written to, or the disk is full.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_abandoned(folder)
    descriptor, part = tempfile.mkstemp(prefix=".input-", suffix=".part", dir=folder)
    try_lock(descriptor)  # says that somebody writes it, for as long as this process lives
    try:
        digest = _write_durably(descriptor, chunks)
        final = folder / f"input-{digest[:20]}{suffix}"
        os.replace(part, final)
    except BaseException:
        os.unlink(part)
        raise
    _sync_folder(folder)
    return final, digest


def _remove_abandoned(folder: Path) -> None:
    """Remove what a killed process had not spooled to its end; an hour is for those that are not locked yet."""
    for part in folder.glob(".input-*.part"):
        with suppress(OSError):  # another process removes it, or (Windows) has it open
            if part.stat().st_mtime < wall() - _ABANDONED and not is_held(part):
                part.unlink()


def _write_durably(descriptor: int, chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    with open(descriptor, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
        file.flush()
        sync(descriptor)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
