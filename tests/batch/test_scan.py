"""The scan: everything that is read is entered, at the journal's pace, and its end is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.journals import Session, buckets
from unlost.batch._scan import CHUNK, IN_FLIGHT, Scan
from unlost.batch.journal._door import Connection
from unlost.batch.journal._writer import JournalError, Writer
from unlost.batch.source._records import Record, parse
from unlost.batch.source._source import Source


class Lines:
    """A source of so many lines, which can fail or wait on the way."""

    def __init__(self, count: int, *, fails_at: int = -1) -> None:
        self.count = count
        self.fails_at = fails_at
        self.blank_lines = 0
        self.read = 0

    def records(self) -> Iterator[Record]:
        for n in range(self.count):
            if n == self.fails_at:
                raise OSError(5, "Input/output error")
            self.read += 1
            yield parse(n + 1, str(n).encode(), "lines")

    def kept(self, record: Record) -> bytes:
        return record.raw


class Bench:
    """A scan with a writer and a journal of its own."""

    def __init__(self, path: Path, source: Source | Lines, first: int | None = None, key: str | None = None) -> None:
        self.entered: list[int] = []
        self.errors: list[Exception | None] = []
        self.ended = threading.Event()
        self.path = path
        self.writer = Writer(self.connect, lambda connection: connection.close(), lambda: None, lambda _error: None)
        self.writer.start()
        self.scan = Scan(source, key, first, self.session.index, self.writer, self.entered.append, self.tell)

    def connect(self) -> Connection:
        self.session = Session(self.path)  # in the writer's thread, as SQLite wants it
        return self.session.connection

    def tell(self, error: Exception | None) -> None:
        self.errors.append(error)
        self.ended.set()

    def run(self) -> None:
        self.scan.start()
        assert self.ended.wait(60)
        self.close()

    def close(self) -> None:
        self.scan.stop()
        self.writer.close()

    def noted(self) -> tuple[int, int, int]:
        """Return complete, records and blank lines as the journal has them."""
        session = Session(self.path)
        (row,) = session.connection.execute("SELECT complete, records, blank FROM scan WHERE scan = 1")
        session.kill()
        return row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fetch-1.db"


@pytest.mark.parametrize("count", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_everything_is_entered_and_told(path: Path, count: int) -> None:
    bench = Bench(path, Lines(count))

    bench.run()

    assert (sum(bench.entered), bench.errors) == (count, [None])
    assert bench.noted() == (1, count, 0)


@pytest.mark.parametrize(
    ("first", "count", "complete"),
    [(1, 3, 0), (2, 3, 0), (3, 3, 1), (4, 3, 1), (CHUNK, CHUNK, 1), (CHUNK, CHUNK + 1, 0), (CHUNK + 1, CHUNK + 1, 1)],
)
def test_first_reads_so_many_and_knows_whether_that_was_all(path: Path, first: int, count: int, complete: int) -> None:
    bench = Bench(path, Lines(count), first)

    bench.run()

    assert bench.noted() == (complete, min(first, count), 0)


def test_blank_lines_are_noted(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_bytes(b"\na\n  \nb\r\n\r\n")
    bench = Bench(path, Source(file, "lines", str(file)))

    bench.run()

    assert bench.noted() == (1, 2, 3)


def test_a_source_that_breaks_off_tells_why_and_what_was_read_is_entered(path: Path) -> None:
    bench = Bench(path, Lines(3 * CHUNK, fails_at=CHUNK + 5))

    bench.run()

    (error,) = bench.errors
    assert str(error) == "[Errno 5] Input/output error"
    assert bench.noted()[0] == 0
    session = Session(path)
    assert session.books().balance
    session.kill()


def test_a_stopped_scan_is_not_complete_and_balances(path: Path) -> None:
    bench = Bench(path, Lines(10**9))
    bench.scan.start()

    bench.close()

    complete, records, _ = bench.noted()
    assert complete == 0
    assert records == sum(bench.entered)


def test_no_more_is_read_than_the_journal_takes(path: Path) -> None:
    source = Lines(100 * CHUNK)
    bench = Bench(path, source)
    busy, go, read = threading.Event(), threading.Event(), threading.Event()
    bench.writer.put(lambda _connection, _payloads: (busy.set(), go.wait(20), None)[2], None, urgent=True)
    busy.wait(20)
    acquire = bench.scan._slots.acquire

    def acquired() -> bool:
        if not acquire(blocking=False):
            read.set()
            acquire()
        return True

    bench.scan._slots.acquire = acquired
    bench.scan.start()

    assert read.wait(20)
    assert source.read == (IN_FLIGHT + 1) * CHUNK
    go.set()
    bench.close()


def test_a_record_whose_key_is_missing_is_refused_under_its_own_bytes(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"id": 1}\n{"no": 2}\n{"no": 2}\n[\n')
    bench = Bench(path, Source(file, "jsonl", str(file)), key="id")

    bench.run()

    session = Session(path)
    assert buckets(session.books()) == {"failed": 3, "pending": 1}
    session.kill()


def test_a_journal_that_cannot_be_written_is_told(path: Path) -> None:
    bench = Bench(path, Lines(10 * CHUNK))

    def fail(_connection: object, _payloads: list[object]) -> None:
        raise JournalError("cannot write the journal: disk I/O error")

    bench.writer.put(fail, None, urgent=True)
    bench.writer.flush()

    bench.run()

    assert [str(error) for error in bench.errors] == ["cannot write the journal: disk I/O error"]
    assert bench.entered == []


def test_a_source_that_breaks_off_while_the_journal_fails_tells_both(path: Path) -> None:
    bench = Bench(path, Lines(CHUNK, fails_at=5))

    def fail(_connection: object, _payloads: list[object]) -> None:
        raise JournalError("cannot write the journal: disk I/O error")

    bench.writer.put(fail, None, urgent=True)
    bench.writer.flush()

    bench.run()

    (error,) = bench.errors
    assert str(error) == "[Errno 5] Input/output error"
    assert error.__notes__ == ["This could not be noted in the journal: cannot write the journal: disk I/O error"]


def test_a_scan_that_was_never_started_can_be_stopped(path: Path) -> None:
    bench = Bench(path, Lines(1))

    bench.close()

    assert bench.entered == []
