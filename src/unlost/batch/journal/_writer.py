"""
The writer: one thread, one connection, group commit.

Guarantees:
    - Operations are carried out in the order in which they were put.
    - ``done`` is called after the commit that holds the operation has returned, never before.
    - If an operation or the commit fails, nothing of that transaction counts: every operation in it and after it fails
      with the same ``JournalError``, and the writer writes nothing more.
    - If ``committed`` fails, its transaction counts all the same and is told so; every operation after it fails.

Assumptions: operations run in the writer's thread and must not block on the loop; ``done`` runs in that thread too and
must only hand on.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from unlost._core import monotonic
from unlost.batch.journal._door import Connection
from unlost.errors import UnlostError

WINDOW = 0.02
"""Seconds for which a transaction gathers operations before it is committed, unless one of them is urgent."""

Operation: TypeAlias = Callable[[Connection, list[Any]], Sequence[object] | None]  # each knows its own payload
"""Takes the payloads of neighbouring puts; returns one result for each, or None where there is nothing to say."""

Done: TypeAlias = Callable[[object, "JournalError | None"], None]


class JournalError(UnlostError):
    """The journal could not be written; what was not acknowledged by then is in doubt."""


@dataclass(slots=True)
class _Put:
    operation: Operation
    payload: Any  # see Operation
    done: Done | None
    urgent: bool


class Writer:
    """
    Carries out operations on a connection of its own, many in one transaction.

    Args:
        connect: Opens the connection; called in the writer's thread.
        disconnect: Closes it; called there at the end.
        committed: Called in the writer's thread after each commit; if it raises, the writer writes nothing more.
        failed: Called there once, when the writer writes nothing more.
        name: Of the thread.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        disconnect: Callable[[Connection], None],
        committed: Callable[[], None],
        failed: Callable[[JournalError], None],
        name: str = "unlost-journal",
    ) -> None:
        self._connect = connect
        self._disconnect = disconnect
        self._committed = committed
        self._failed = failed
        self._puts: queue.SimpleQueue[_Put | None] = queue.SimpleQueue()
        self._error: JournalError | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._opened: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def start(self) -> None:
        """
        Start the thread; return once the connection is open.

        Raises:
            Exception: Whatever ``connect`` raised.
        """
        self._thread.start()
        opening_error = self._opened.get()
        if opening_error is not None:
            self._thread.join()
            raise opening_error

    def put(self, operation: Operation, payload: object, done: Done | None = None, *, urgent: bool = False) -> None:
        """
        Have ``operation(connection, payloads)`` carried out; thread-safe, returns at once.

        Neighbours with the same operation are carried out in one call, with all their payloads. ``done`` gets the
        result for this payload and None, or None and the error.
        """
        self._puts.put(_Put(operation, payload, done, urgent))

    def flush(self) -> None:
        """Have everything that was put by now carried out; blocks until then."""
        flushed = threading.Event()
        self.put(_nothing, None, lambda _result, _error: flushed.set(), urgent=True)
        flushed.wait()

    def close(self) -> None:
        """Carry out what was put, close the connection, end the thread; blocks until then."""
        self._puts.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            connection = self._connect()
        except BaseException as opening_error:  # handed to start(), which raises it  # noqa: BLE001
            self._opened.put(opening_error)
            return
        self._opened.put(None)
        try:
            while self._transaction(connection):
                pass
        finally:
            self._disconnect(connection)

    def _transaction(self, connection: Connection) -> bool:
        """Gather, carry out, commit, tell; return whether there may be more."""
        puts, more = self._gather()
        results: list[object] = [None] * len(puts)
        if puts and self._error is None:
            try:
                connection.execute("BEGIN IMMEDIATE")
                results = _carry_out(connection, puts)
                connection.execute("COMMIT")
            except Exception as writing_error:  # handed to every waiter, as the cause  # noqa: BLE001
                results = [None] * len(puts)
                self._fail(writing_error)  # SQLite rolls back when the connection is closed
        error = self._error  # what comes of the commit is not an error of what it holds
        if puts and error is None:
            try:
                self._committed()
            except Exception as later_error:  # handed to every later waiter, as the cause  # noqa: BLE001
                self._fail(later_error)
        for put, result in zip(puts, results, strict=True):
            if put.done is not None:
                put.done(result, error)
        return more

    def _fail(self, writing_error: Exception) -> None:
        self._error = _journal_error(writing_error)
        self._failed(self._error)

    def _gather(self) -> tuple[list[_Put], bool]:
        """Wait for the first operation, then take what comes until the window closes or one is urgent."""
        first = self._puts.get()
        if first is None:
            return [], False
        puts = [first]
        closes = monotonic() + WINDOW
        urgent = first.urgent
        while True:
            left = closes - monotonic()
            try:
                put = self._puts.get_nowait() if urgent or left <= 0 else self._puts.get(timeout=left)
            except queue.Empty:
                return puts, True
            if put is None:
                return puts, False
            puts.append(put)
            urgent = urgent or put.urgent


def _journal_error(writing_error: Exception) -> JournalError:
    if isinstance(writing_error, JournalError):
        return writing_error
    journal_error = JournalError(f"cannot write the journal: {writing_error}")
    journal_error.__cause__ = writing_error
    return journal_error


def _nothing(_connection: Connection, _payloads: list[Any]) -> None:
    """Do nothing, in order."""


def _carry_out(connection: Connection, puts: list[_Put]) -> list[object]:
    """Call each run of neighbours with the same operation once; return one result for each put."""
    results: list[object] = []
    start = 0
    while start < len(puts):
        operation = puts[start].operation
        end = start
        while end < len(puts) and puts[end].operation == operation:
            end += 1
        told = operation(connection, [put.payload for put in puts[start:end]])
        told = [None] * (end - start) if told is None else told
        assert len(told) == end - start, f"{operation!r} returned {len(told)} results for {end - start} payloads"
        results.extend(told)
        start = end
    return results
