"""A file of one JSON object a line as a sink."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from unlost.errors import UsageError
from unlost.observe.sinks._json import as_json
from unlost.observe.sinks._report import Report

MOST: Final = 100_000_000
"""Bytes that the file may come to."""


class FileFull(OSError):
    """A file has come to its bound; nothing more is written there."""


class JsonLines:
    """
    Appends each report to a file as one line, in one write: several processes may share the file.

    It is made when there is something to say, readable for its owner only. It may be moved away at any time (by
    ``logrotate``): the next line goes to a new one. It ends for good at ``most`` bytes, with an error that the
    other sinks are told.

    Args:
        path: The file; its folder must exist.
        most: Bytes that the file may come to; what other processes write into it counts.
    """

    def __init__(self, path: str | os.PathLike[str], *, most: int = MOST) -> None:
        self._path = Path(path).absolute()
        if not self._path.parent.is_dir():
            raise UsageError(f"There is no folder {str(self._path.parent)!r} for {self._path.name!r}. Make it first.")
        self._most = most
        self._file: int | None = None
        self._is_torn = False

    def emit(self, report: Report) -> None:
        line = json.dumps(as_json(report)).encode() + b"\n"
        file = self._opened()
        if os.fstat(file).st_size + len(line) > self._most:
            raise FileFull(f"{self._path} has come to {self._most:,} bytes. Move it away: a new one is begun")
        if self._is_torn:
            line = b"\n" + line
        self._is_torn = True  # until all of it is written: a disk may be full half way
        if os.write(file, line) < len(line):
            raise OSError(f"{self._path} took a part of a line only")
        self._is_torn = False

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int:
        if self._file is not None and self._is_moved(self._file):
            self.close()
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._file = os.open(self._path, flags, 0o600)
            self._is_torn = False
        return self._file

    def _is_moved(self, file: int) -> bool:
        try:
            return not os.path.samestat(os.fstat(file), os.stat(self._path))
        except FileNotFoundError:
            return True
