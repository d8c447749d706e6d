"""
The results file: derived from the journal, each key once after any number of kills.

Lines are appended after the commit of their outcomes. How far the file is synced is journaled from time to time; what
stands behind that when a run is continued must be the beginning of what would be appended again, and is then cut off
and written anew. If it is anything else, somebody else wrote it, and nothing is touched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from unlost._core import monotonic
from unlost.batch._lock import try_lock
from unlost.batch._sync import sync
from unlost.batch.journal._door import Connection
from unlost.batch.journal._journal import Ended, name_of
from unlost.batch.journal._writer import JournalError
from unlost.errors import UsageError

SYNC_EVERY = 1.0
"""Seconds between two syncs of the file while lines are appended."""


def line_of(key: str, line: int, value: str, attempts: int, ms: int, tag: str | None) -> bytes:
    """Return the line for an outcome; ``value`` is JSON."""
    name, word = json.dumps(key, ensure_ascii=False), json.dumps(tag, ensure_ascii=False)
    counts = f'"attempts": {attempts}, "ms": {ms}'
    return f'{{"key": {name}, "line": {line}, "value": {value}, {counts}, "tag": {word}}}\n'.encode()


def is_results_file(connection: Connection, path: Path) -> bool:
    """Tell whether a run has written its results to that file (resolved)."""
    return any(True for _row in connection.execute("SELECT 1 FROM results WHERE path = ?", (str(path),)))


class ResultsFile:
    """
    A results file of one run; every method is called in the writer's thread.

    Args:
        path: Made if it is not there; never truncated but for what an earlier opening of this run appended.
        tag: Of this opening.
    """

    def __init__(self, path: Path, tag: str | None = None) -> None:
        self._path = path
        self._tag = tag
        self._name = str(path.resolve())
        self._file: BinaryIO
        self._opened: BinaryIO | None = None
        self._length = 0
        self._lines = 0
        self._seq = 0
        self._synced = 0
        self._synced_at = monotonic()

    def open(self, connection: Connection) -> None:
        """
        Bring the file to where the journal is.

        Raises:
            UsageError: The file holds something that this run did not write, or lacks something that it did, or
                another run writes it now, or it cannot be written.
        """
        self._file = self._opened = _open(self._path)
        try:
            self._bring_up(connection)
        except JournalError as writing_error:
            raise UsageError(str(writing_error)) from writing_error

    def _bring_up(self, connection: Connection) -> None:
        found = connection.execute("SELECT length, lines, seq FROM results WHERE path = ?", (self._name,))
        known = next(iter(found), None)
        size = self._file.seek(0, os.SEEK_END)
        if known is not None and size > 0:
            self._length, self._lines, self._seq = known  # else it is new, or was taken away: all lines are missing
        self._check_is_ours(connection, size, cut=known is not None)
        self._file.truncate(self._length)
        self._file.seek(self._length)
        self._note(connection)  # before the first line is appended: from here on the file is known to be ours
        self._append(self._missing(connection))
        self.sync(connection)

    def append(self, ended: Iterable[tuple[int, Ended]]) -> None:
        """Append the lines of outcomes that were just committed, given with their sequence numbers."""
        self._append(
            (seq, line_of(one.key, one.line, one.value, one.attempts, one.ms, self._tag))
            for seq, one in ended
            if one.value is not None
        )

    def wants_sync(self) -> bool:
        """Tell whether it is time to journal how far the file is."""
        return self._length > self._synced and monotonic() - self._synced_at > SYNC_EVERY

    def sync(self, connection: Connection, _payloads: Sequence[object] = ()) -> None:
        """Sync the file and journal its length; all of its lines are committed by now."""
        with self._named_errors():
            sync(self._file.fileno())
        self._note(connection)
        self._synced = self._length
        self._synced_at = monotonic()

    def close(self) -> None:
        """Close the file, if ``open`` came so far."""
        with suppress(OSError):  # what could not be written was said by then, and is in the journal
            if self._opened is not None:
                self._opened.close()

    def _note(self, connection: Connection) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO results(path, length, lines, seq) VALUES (?, ?, ?, ?)",
            (self._name, self._length, self._lines, self._seq),
        )

    def _append(self, lines: Iterable[tuple[int, bytes]]) -> None:
        with self._named_errors():
            for seq, text in lines:
                self._file.write(text)
                self._length += len(text)
                self._lines += 1
                self._seq = seq
            self._file.flush()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as writing_error:
            raise JournalError(
                f"cannot write the results file {self._path}: {writing_error.strerror}; the journal has all results"
            ) from writing_error

    def _missing(self, connection: Connection) -> Iterator[tuple[int, bytes]]:
        """Yield the lines that the journal has beyond the file's journaled length, each with its sequence number."""
        rows = connection.execute(
            """SELECT seq, key, ordinal, outcome.line, value, attempts, ms, tag
            FROM outcome JOIN item ON item.id = outcome.item JOIN epoch ON epoch.epoch = outcome.epoch
            WHERE ok AND seq > ? ORDER BY seq""",
            (self._seq,),
        )
        for seq, key, ordinal, line, value, attempts, ms, tag in rows:
            yield seq, line_of(name_of(key, ordinal), line, value, attempts, ms, tag)

    def _check_is_ours(self, connection: Connection, size: int, *, cut: bool) -> None:
        """``cut``: whether a power cut may have cut the file off while this run wrote it."""
        if size < self._length:
            raise self._refusal(f"it has {size:,} bytes, and this run wrote {self._length:,}")
        self._file.seek(self._length)
        if not _continues(self._file, self._missing(connection), b"\0" if cut else b""):
            if not cut:
                raise self._refusal("it is there already, and this run has not written it")
            raise self._refusal("behind what this run wrote stands something that it did not write")

    def _refusal(self, what: str) -> UsageError:
        return UsageError(
            f"cannot append to the results file {self._path}: {what}.\n"
            "Name another file (--out other.jsonl: it will hold all results so far), or move this one away."
        )


def _continues(file: BinaryIO, expected: Iterable[tuple[int, bytes]], blank: bytes) -> bool:
    """
    Tell whether the rest of the file is the beginning of the lines expected.

    A power cut can leave a file longer than its data, and without some of it; what is missing then reads as NUL, and is
    no one's: ``blank``.
    """
    for _seq, text in expected:
        found = file.read(len(text))
        if found != text and not _is_torn(found, text, blank):
            return False
        if len(found) < len(text):
            return True
    return _is_blank(file, blank)


def _is_torn(found: bytes, text: bytes, blank: bytes) -> bool:
    """Tell whether this is the beginning of a line, of which some may be missing."""
    return all(there == wanted or there in blank for there, wanted in zip(found, text, strict=False))


def _is_blank(file: BinaryIO, blank: bytes) -> bool:
    return not any(chunk.strip(blank) for chunk in iter(lambda: file.read(65536), b""))


def _open(path: Path) -> BinaryIO:
    """Open the file for this process alone."""
    if path.is_dir():
        raise UsageError(f"--out {path} is a folder.\nName a file in it: --out {path / 'results.jsonl'}")
    if path.exists() and not path.is_file():
        raise UsageError(f"--out {path} is not a regular file; results are cut to a known length when a run continues")
    try:
        # not "a" (continuing truncates), not "w" (nothing of others may be lost)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as open_error:
        raise UsageError(f"cannot write the results file {path}: {open_error.strerror}") from open_error
    # Windows would keep others from reading what is locked; there two runs could still mix their lines
    if os.name == "posix" and not try_lock(descriptor):
        os.close(descriptor)
        raise UsageError(f"another run writes the results file {path} now.\nName another file: --out other.jsonl")
    return open(descriptor, "r+b")
