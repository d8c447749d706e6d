"""
The one door through which the journal's connections are opened.

Everything else speaks SQL through the small ``Connection`` protocol, so that a test can put another build of SQLite
behind it (``apsw``, with a file system of its own that loses unsynced bytes).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

Row: TypeAlias = tuple[Any, ...]  # SQLite is dynamically typed; each query's reader knows its columns


class Connection(Protocol):
    """What the journal asks of a connection; it is in autocommit mode, transactions are written out."""

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> Iterable[Row]: ...

    def executemany(self, sql: str, rows: Iterable[Sequence[object]], /) -> object: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Door:
    """
    How connections are opened, and the base class of the errors that they raise.

    Attributes:
        connect: Takes a ``file:`` URI.
        error: What every failure of a connection is an instance of.
    """

    connect: Callable[[str], Connection]
    error: type[Exception]


def _connect(uri: str) -> Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)


SQLITE = Door(_connect, sqlite3.Error)


def for_writing(door: Door, path: Path, durability: str) -> Connection:
    """
    Open the journal's only writing connection.

    Args:
        door: Which SQLite.
        path: The journal; made if it is not there, for its user only.
        durability: ``"power"``: a commit survives a power cut (``synchronous=FULL``, and ``fullfsync``, which macOS
            needs for that). ``"process"``: it survives the death of the process only.
    """
    _make(path)
    connection = door.connect(f"{path.resolve().as_uri()}?mode=rwc")
    pragmas = (
        "journal_mode=WAL",
        f"synchronous={'FULL' if durability == 'power' else 'NORMAL'}",
        f"fullfsync={int(durability == 'power')}",
        f"checkpoint_fullfsync={int(durability == 'power')}",
        "wal_autocheckpoint=4000",  # pages: about 16 MB between checkpoints, which stop the writer for a sync each
        "cache_size=-32000",  # KiB
        "temp_store=MEMORY",
    )
    try:
        _set(connection, pragmas)
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    """Make the file as SQLite would, but for its user only; ``-wal`` and ``-shm`` get the same mode from SQLite."""
    with suppress(OSError):  # it is there, or cannot be: then SQLite says why in its own words
        # O_EXCL: to open and close a database that is there would take this process's locks off it
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def close_writing(door: Door, connection: Connection) -> None:
    """
    Close the writing connection and leave one file, without ``-wal`` and ``-shm``, where no reader is in the way.

    A journal in WAL mode needs both files even to be read: every later reader would make them again and leave them,
    and none could in a folder that cannot be written to.
    """
    try:
        with suppress(door.error):  # a reader is there, or the disk is full: then WAL stays, which is as durable
            _set(connection, ("busy_timeout=0", "journal_mode=DELETE"))
    finally:
        connection.close()


@contextmanager
def for_reading(door: Door, path: Path) -> Iterator[Connection]:
    """Open a connection that cannot write, to a journal that may be written at the same time."""
    connection = _readable(door, path)
    try:
        yield connection
    finally:
        connection.close()


def _readable(door: Door, path: Path) -> Connection:
    uri = path.resolve().as_uri()
    connection = door.connect(f"{uri}?mode=ro")
    try:
        list(connection.execute("SELECT count(*) FROM sqlite_master"))
    except door.error:
        connection.close()
        if not path.with_name(path.name + "-journal").exists():
            raise
        # its writer was killed while it changed to WAL mode or back; SQLite undoes that, for which it must write
        return door.connect(f"{uri}?mode=rw")
    return connection


def _set(connection: Connection, pragmas: Iterable[str]) -> None:
    for pragma in pragmas:
        for _row in connection.execute(f"PRAGMA {pragma}"):
            pass
