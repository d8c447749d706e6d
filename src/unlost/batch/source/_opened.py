"""Opening a source: whether it is there, whether it is compressed, and what breaks off on the way."""

from __future__ import annotations

import difflib
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from unlost.batch.source._errors import SourceError
from unlost.errors import UsageError

_GZIP: Final = b"\x1f\x8b"


def open_file(path: Path) -> io.BufferedReader:
    """
    Open a file to be read as it is.

    Raises:
        UsageError: It is not there (similar names are in the message), is a folder, or cannot be read.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as missing:
        raise UsageError(f"There is no file {str(path)!r}{_similar(path)}.") from missing
    except IsADirectoryError as directory:
        raise UsageError(f"{str(path)!r} is a folder; inputs are the lines of one file. Name the file.") from directory
    except (OSError, ValueError) as refusal:  # ValueError: a NUL in the name
        raise UsageError(f"{str(path)!r} cannot be read: {refusal}.") from refusal


def is_compressed(path: Path, file: io.BufferedReader) -> bool:
    """
    Tell whether a regular file is gzip, by its first bytes: no text begins with these.

    Raises:
        UsageError: By its name it is, but not by its bytes.
    """
    try:
        first = file.read(2)
        file.seek(0)
    except OSError as unreadable:
        raise UsageError(f"{str(path)!r} cannot be read: {unreadable.strerror}. Name a file that can.") from unreadable
    if first and first != _GZIP and path.suffix.lower() == ".gz":
        raise UsageError(f"{str(path)!r} is compressed by its name, but not by its first bytes. Rename or repair it.")
    return first == _GZIP


@contextmanager
def reading(path: Path) -> Iterator[Callable[[int], bytes]]:
    """
    Give a function that returns up to so many bytes of a regular file's content, none at its end.

    Raises:
        UsageError: The file is gone or cannot be opened.
        SourceError: From that function: it cannot be read to its end.
    """
    with open_file(path) as file:
        if not is_compressed(path, file):
            yield _read_of(path, file)
            return
        with gzip.GzipFile(fileobj=file, mode="rb") as content:
            yield _read_of(path, content)


def _read_of(path: Path, file: io.BufferedReader | gzip.GzipFile) -> Callable[[int], bytes]:
    def read(size: int) -> bytes:
        try:
            return file.read1(size)  # not read, which forgets what it has where a compressed file breaks off
        except EOFError as cut:
            raise SourceError(f"{str(path)!r} is cut off: its compressed data goes on. Repair it") from cut
        except (OSError, zlib.error) as broken:
            raise SourceError(f"{str(path)!r} cannot be read to its end: {broken}") from broken

    return read


def _similar(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:  # there is no such folder either
        return f" (nor a folder {str(path.parent)!r})"
    close = difflib.get_close_matches(path.name, names, n=3)
    return f"; similar: {', '.join(close)}" if close else ""
