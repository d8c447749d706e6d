"""
A disk that loses what was not synced when the power is cut, for SQLite (``apsw``) and for the results file.

One run is recorded: each write, truncation, deletion and sync of each file, and what the run said in between, in one
order. From that the disk is made anew as it may stand after a cut at any moment of it: what was synced before is there,
and of what was written to a file after its last sync nothing, or any part, torn at sectors and in any order.

The directory entry of a file is durable once the file was synced (as on ext4, xfs and APFS); a deletion may be undone
by the cut, as long as nothing was synced after it.
"""

from __future__ import annotations

import io
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import apsw

from unlost.batch.journal._door import Connection, Door, Row

SECTOR = 512
"""Bytes of which a cut keeps all or none."""


@dataclass(frozen=True, slots=True)
class Event:
    """
    What happened, in its turn.

    Attributes:
        what: To a file, or ``say``: what the run said, which is in ``name``.
        name: The file's absolute path.
        offset: Of the bytes written; the length that a file was cut to.
        data: That were written.
    """

    what: Literal["write", "truncate", "sync", "delete", "say"]
    name: str
    offset: int = 0
    data: bytes = b""


@dataclass(slots=True)
class _File:
    durable: bytearray | None = None  # None: no such file
    pending: list[Event] = field(default_factory=list)

    def sync(self) -> None:
        self.durable = self._after(self.pending)
        self.pending.clear()

    def settle_deletion(self) -> None:
        """Let a deletion be durable, with which all that was written before it is gone."""
        deleted = self._deletion()
        if deleted is not None:
            self.durable = None
            del self.pending[: deleted + 1]

    def cut(self, generator: random.Random | None) -> bytes | None:
        """Return what is there after a cut; without a generator nothing that was not synced."""
        if generator is None:
            found = self.durable
        elif (deleted := self._deletion()) is None:
            found = self._after(_torn(self.pending, generator))
        elif generator.random() < 0.5:
            found = self._after([self.pending[deleted], *_torn(self.pending[deleted + 1 :], generator)])
        else:  # the deletion is undone, and what was written after it was written to another file of that name
            found = self._after(_torn(self.pending[:deleted], generator))
        return None if found is None else bytes(found)

    def _deletion(self) -> int | None:
        return max((at for at, event in enumerate(self.pending) if event.what == "delete"), default=None)

    def _after(self, events: Iterable[Event]) -> bytearray | None:
        content = None if self.durable is None else bytearray(self.durable)
        for event in events:
            if event.what == "delete":
                content = None
                continue
            content = bytearray() if content is None else content
            if event.what == "truncate":
                del content[event.offset :]
                content.extend(bytes(event.offset - len(content)))
            else:
                content.extend(bytes(max(0, event.offset - len(content))))
                content[event.offset : event.offset + len(event.data)] = event.data
        return content


class Disk:
    """
    Args:
        seconds: That each sync takes: a slow disk.
        room: Bytes that may be written to journals; after them the disk is full.
    """

    def __init__(self, *, seconds: float = 0.0, room: int | None = None) -> None:
        self.events: list[Event] = []
        self.syncs = 0
        self.room = room
        self._seconds = seconds
        self._vfs = _Vfs(self, f"unlost-{id(self)}")
        self.door = Door(self._connect, apsw.Error)

    def say(self, what: str) -> None:
        """Note something between the writes; thread-safe."""
        self.events.append(Event("say", what))

    def note(self, event: Event) -> None:
        """Note what happens to a file, before it does."""
        if event.what == "write" and self.room is not None:
            self.room -= len(event.data)
            if self.room < 0:
                raise apsw.FullError("database or disk is full")
        if event.what == "sync":
            self.syncs += 1
            if self._seconds:
                time.sleep(self._seconds)  # in the writer's thread, as a disk that takes its time
        self.events.append(event)

    def said(self, moment: int, word: str) -> set[str]:
        """Return what was said under a word before a moment: ``say("start 7")`` is ``"7"`` under ``"start"``."""
        texts = (event.name for event in self.events[:moment] if event.what == "say")
        return {text.partition(" ")[2] for text in texts if text.startswith(f"{word} ")}

    def cut(self, moment: int, generator: random.Random | None = None) -> dict[Path, bytes]:
        """
        Return the files that are there when the power was cut before event number ``moment``.

        Args:
            generator: Decides what survives of what was not synced; None: nothing.
        """
        files: dict[str, _File] = defaultdict(_File)
        for event in self.events[:moment]:
            if event.what == "sync":
                files[event.name].sync()
                for file in files.values():
                    file.settle_deletion()
            elif event.what != "say":
                files[event.name].pending.append(event)
        found = {Path(name): file.cut(generator) for name, file in files.items()}
        return {path: content for path, content in found.items() if content is not None}

    def open_results(self, path: Path) -> io.BufferedRandom:
        """Open a results file so that its writes are noted; in the place of the run's own way to open it."""
        return io.BufferedRandom(_Results(self, path))

    def sync_results(self, descriptor: int) -> None:
        """Sync a results file; in the place of the run's own way."""
        self.note(Event("sync", os.readlink(f"/proc/self/fd/{descriptor}")))

    def _connect(self, uri: str) -> Connection:
        flags = apsw.SQLITE_OPEN_URI | apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        connection = apsw.Connection(uri, flags=flags, vfs=self._vfs.name)
        connection.set_busy_timeout(30_000)
        return _Eager(connection)


def restore(files: dict[Path, bytes], folders: Sequence[Path]) -> None:
    """Put files where they were, after a cut; of what else is in the folders nothing but locks is left."""
    for folder in folders:
        for path in folder.iterdir():
            if path.is_file() and path.suffix != ".lock" and not path.name.startswith("."):
                path.unlink()
    for path, content in files.items():
        path.write_bytes(content)


def _torn(events: Sequence[Event], generator: random.Random) -> list[Event]:
    """Return the parts that survive, in the order in which the disk wrote them."""
    if generator.random() < 0.3:
        return list(events[: generator.randint(0, len(events))])  # in order: as if the cut had come a little earlier
    parts = [part for event in events for part in _sectors(event) if generator.random() < 0.5]
    generator.shuffle(parts)
    return parts


def _sectors(event: Event) -> list[Event]:
    if event.what != "write":
        return [event]
    ends = [*range(SECTOR - event.offset % SECTOR, len(event.data), SECTOR), len(event.data)]
    starts = [0, *ends[:-1]]
    return [
        Event("write", event.name, event.offset + start, event.data[start:end])
        for start, end in zip(starts, ends, strict=True)
    ]


class _Eager:
    """A connection that checkpoints after every few pages, so that a short run has many checkpoints to be cut in."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> Iterable[Row]:
        few = "PRAGMA wal_autocheckpoint=20" if sql.startswith("PRAGMA wal_autocheckpoint") else sql
        return self._connection.execute(few, tuple(parameters))  # type: ignore[arg-type]  # what SQLite can hold

    def executemany(self, sql: str, rows: Iterable[Sequence[object]], /) -> object:
        return self._connection.executemany(sql, (tuple(row) for row in rows))  # type: ignore[misc]  # likewise

    def close(self) -> None:
        self._connection.close()


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk, name: str) -> None:
        super().__init__(name, "unix")
        self.name = name
        self._disk = disk

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _VfsFile:  # noqa: N802  # as SQLite has it
        return _VfsFile(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self._disk.note(Event("delete", filename))
        super().xDelete(filename, syncdir)


class _VfsFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._name = (name.filename() if isinstance(name, apsw.URIFilename) else name) or ""
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.note(Event("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._disk.note(Event("truncate", self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.note(Event("sync", self._name))


class _Results(io.FileIO):
    def __init__(self, disk: Disk, path: Path) -> None:
        super().__init__(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+")
        self._disk = disk
        self._name = str(path.resolve())

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]  # any buffer
        self._disk.note(Event("write", self._name, self.tell(), bytes(data)))
        return super().write(data)

    def truncate(self, size: int | None = None, /) -> int:
        self._disk.note(Event("truncate", self._name, self.tell() if size is None else size))
        return super().truncate(size)
