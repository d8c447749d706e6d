"""The writer: order, grouping, acknowledgement after the commit, and one error for all when it fails."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from unlost.batch.journal import _writer
from unlost.batch.journal._writer import JournalError, Writer


class Told:
    """A connection that says what it does, and those who are told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: list[object] = []
        self.failures: list[JournalError] = []
        self.broken_commit: Exception | None = None

    def connect(self) -> Told:
        self._connection = sqlite3.connect(self.path, isolation_level=None)
        self._connection.execute("CREATE TABLE IF NOT EXISTS t(a)")
        return self

    def execute(self, sql: str, parameters: tuple[object, ...] = ()) -> Any:
        if sql == "COMMIT" and self.broken_commit is not None:
            raise self.broken_commit
        result = self._connection.execute(sql, parameters)
        if sql == "COMMIT":
            self.said.append("commit")
        return result

    def close(self) -> None:
        self._connection.close()

    def done(self, name: object) -> Callable[[object, JournalError | None], None]:
        return lambda result, error: self.said.append((name, result if error is None else error))

    def stored(self) -> list[object]:
        connection = sqlite3.connect(self.path)
        try:
            return [a for (a,) in connection.execute("SELECT a FROM t")]
        finally:
            connection.close()


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path / "t.db")


@pytest.fixture
def writer(told: Told) -> Iterator[Writer]:
    writer = Writer(told.connect, Told.close, lambda: told.said.append("committed"), told.failures.append)
    writer.start()
    yield writer
    writer.close()


def store(connection: Told, payloads: list[Any]) -> list[object]:
    for payload in payloads:
        connection.execute("INSERT INTO t VALUES (?)", (payload,))
    return [payload * 10 for payload in payloads]


def fail(connection: Told, payloads: list[Any]) -> None:
    connection.execute("INSERT INTO t VALUES ('never')")
    raise sqlite3.OperationalError("database or disk is full")


def held(writer: Writer) -> threading.Event:
    """Keep the writer busy until the event is set, so that what is put meanwhile waits together."""
    busy, go = threading.Event(), threading.Event()

    def wait(_connection: object, _payloads: list[Any]) -> None:
        busy.set()
        go.wait(20)

    writer.put(wait, None, urgent=True)
    busy.wait(20)
    return go


def test_operations_are_carried_out_in_the_order_in_which_they_were_put(writer: Writer, told: Told) -> None:
    other = lambda connection, payloads: store(connection, payloads)  # noqa: E731  # another operation between
    for n in range(300):
        writer.put(store if n % 3 else other, n)

    writer.flush()

    assert told.stored() == list(range(300))


def test_done_is_called_after_the_commit_has_returned(writer: Writer, told: Told) -> None:
    writer.put(store, 7, told.done("a"))

    writer.flush()

    assert told.said == ["commit", "committed", ("a", 70)]


def test_neighbours_with_one_operation_are_one_call_with_one_result_for_each(writer: Writer, told: Told) -> None:
    calls: list[list[int]] = []

    def count(_connection: object, payloads: list[int]) -> list[int]:
        calls.append(payloads)
        return [-payload for payload in payloads]

    go = held(writer)
    for n in (1, 2):
        writer.put(count, n, told.done(n))
    writer.put(store, 3, told.done(3))
    writer.put(count, 4, told.done(4))
    go.set()
    writer.flush()

    assert calls == [[1, 2], [4]]
    assert [one for one in told.said if isinstance(one, tuple)] == [(1, -1), (2, -2), (3, 30), (4, -4)]


def test_an_operation_that_says_nothing_has_the_result_none(writer: Writer, told: Told) -> None:
    writer.put(lambda _connection, _payloads: None, 1, told.done("a"))
    writer.put(store, 2, told.done("b"))

    writer.flush()

    assert [one for one in told.said if isinstance(one, tuple)] == [("a", None), ("b", 20)]


def test_an_urgent_operation_ends_the_window(writer: Writer, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer, "WINDOW", 1000.0)
    done = threading.Event()

    writer.put(store, 1)
    writer.put(store, 2, lambda _result, _error: done.set(), urgent=True)

    assert done.wait(20)
    assert told.said.count("commit") == 1
    assert told.stored() == [1, 2]


def test_an_urgent_operation_waits_for_no_window(writer: Writer, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_writer, "WINDOW", 1000.0)
    done = threading.Event()

    writer.put(store, 1, lambda _result, _error: done.set(), urgent=True)

    assert done.wait(20)


def test_what_waits_when_the_window_has_closed_is_still_taken(
    writer: Writer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_writer, "WINDOW", 0.0)
    go = held(writer)
    for n in range(3):
        writer.put(store, n)

    go.set()
    writer.flush()

    assert told.said.count("commit") <= 2
    assert told.stored() == [0, 1, 2]


def test_what_is_put_in_one_window_is_one_transaction(
    writer: Writer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_writer, "WINDOW", 1000.0)
    for n in range(100):
        writer.put(store, n)

    writer.close()

    assert told.said == ["commit", "committed"]
    assert len(told.stored()) == 100


def test_a_window_closes_by_itself(writer: Writer, told: Told) -> None:
    done = threading.Event()

    writer.put(store, 1, lambda _result, _error: done.set())

    assert done.wait(20)


def test_a_failure_takes_its_whole_transaction_and_everything_after_it(writer: Writer, told: Told) -> None:
    writer.put(store, 1, told.done("before"))
    writer.flush()
    go = held(writer)
    writer.put(store, 2, told.done("with it"))
    writer.put(fail, None, told.done("it"))
    writer.put(store, 3, told.done("behind"))
    go.set()
    writer.flush()
    writer.put(store, 4, told.done("later"))
    writer.close()

    (error,) = told.failures
    outcomes = dict(one for one in told.said if isinstance(one, tuple))
    assert outcomes == {"before": 10, "with it": error, "it": error, "behind": error, "later": error}
    assert str(error) == "cannot write the journal: database or disk is full"
    assert isinstance(error.__cause__, sqlite3.OperationalError)
    assert told.stored() == [1]


def test_a_commit_that_fails_acknowledges_nothing(writer: Writer, told: Told) -> None:
    told.broken_commit = sqlite3.OperationalError("disk I/O error")

    writer.put(store, 1, told.done("a"))
    writer.close()

    assert told.said == [("a", told.failures[0])]
    assert told.stored() == []


def test_a_journal_error_comes_out_as_it_is(writer: Writer, told: Told) -> None:
    own = JournalError("cannot write the results file")

    def raise_own(_connection: object, _payloads: list[Any]) -> None:
        raise own

    writer.put(raise_own, None)
    writer.close()

    assert told.failures == [own]


def test_close_carries_out_what_was_put_and_ends_the_thread(
    writer: Writer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_writer, "WINDOW", 1000.0)
    writer.put(store, 1, told.done("a"))

    writer.close()

    assert told.said[-1] == ("a", 10)
    assert "unlost-journal" not in {thread.name for thread in threading.enumerate()}


def test_flush_returns_after_everything_that_was_put(writer: Writer, told: Told) -> None:
    for n in range(50):
        writer.put(store, n)

    writer.flush()

    assert len(told.stored()) == 50


def test_what_connect_raises_comes_out_of_start(told: Told) -> None:
    def refuse() -> Told:
        raise PermissionError("not yours")

    writer = Writer(refuse, Told.close, lambda: None, told.failures.append)

    with pytest.raises(PermissionError, match="not yours"):
        writer.start()
    assert told.failures == []


def test_a_failure_after_the_commit_fails_what_comes_after_it_and_not_what_was_committed(told: Told) -> None:
    def fail_after_the_commit() -> None:
        raise OSError(28, "No space left on device")

    writer = Writer(told.connect, Told.close, fail_after_the_commit, told.failures.append)
    writer.start()
    writer.put(store, 1, told.done("committed"))
    writer.flush()
    writer.put(store, 2, told.done("later"))
    writer.close()

    (error,) = told.failures
    assert told.said == ["commit", ("committed", 10), ("later", error)]
    assert isinstance(error.__cause__, OSError)
    assert told.stored() == [1]
