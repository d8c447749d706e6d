"""
Reading the source into the journal, in a thread of its own, at the journal's pace.

The whole source is indexed, as fast as the journal takes it, while the first items already run: so the total is known
early, and what was never started can be counted. In memory is at most what ``IN_FLIGHT`` chunks hold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import islice

from unlost.batch._letters import letter_of
from unlost.batch.journal._index import Index, Indexed
from unlost.batch.journal._writer import JournalError, Writer
from unlost.batch.source._errors import InputError
from unlost.batch.source._keys import key_of, raw_key
from unlost.batch.source._records import Record
from unlost.batch.source._source import Source

CHUNK = 500
"""Records entered into the journal at a time."""

IN_FLIGHT = 4
"""Chunks that may wait for the journal."""


class Scan:
    """
    One reading of the source.

    Args:
        source: What is read.
        key_field: As ``--key`` names it.
        first: How many records to read at most; None for all.
        index: Where they are entered.
        writer: Who enters them.
        entered: Called in the writer's thread after each chunk, with the number of its records.
        ended: Called in the writer's thread when reading has ended and all is entered: None, or why reading failed; or
            why the journal did, which is a note where both failed.
    """

    def __init__(
        self,
        source: Source,
        key_field: str | None,
        first: int | None,
        index: Index,
        writer: Writer,
        entered: Callable[[int], None],
        ended: Callable[[Exception | None], None],
    ) -> None:
        self._source = source
        self._records = source.records()
        self._key_field = key_field
        self._first = first
        self._index = index
        self._writer = writer
        self._entered = entered
        self._ended = ended
        self._stopped = threading.Event()
        self._slots = threading.Semaphore(IN_FLIGHT)
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="unlost-scan", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Read no further; blocks until the thread has ended, if it was started. What was read is entered."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        complete, reading_error = False, None
        try:
            complete = self._read()
        except Exception as source_error:  # handed to the owner of the run  # noqa: BLE001
            reading_error = source_error

        def done(_result: object, journal_error: JournalError | None) -> None:
            if reading_error is not None and journal_error is not None:
                reading_error.add_note(f"This could not be noted in the journal: {journal_error}")
            self._ended(reading_error or journal_error)

        report = (complete, self._count, self._source.blank_lines)
        self._writer.put(self._index.finish, report, done, urgent=True)

    def _read(self) -> bool:
        """Read until stopped, or until there is no more; return whether the end of the source was reached."""
        wanted = islice(self._records, self._first)
        while not self._stopped.is_set():
            chunk = [self._indexed(record) for record in islice(wanted, CHUNK)]
            self._slots.acquire()
            self._writer.put(self._index.enter, chunk, self._done(len(chunk)))
            self._count += len(chunk)
            if len(chunk) < CHUNK:
                return next(self._records, None) is None  # behind --first there may be more
        return False

    def _done(self, count: int) -> Callable[[object, JournalError | None], None]:
        def done(_result: object, journal_error: JournalError | None) -> None:
            self._slots.release()
            if journal_error is None:
                self._entered(count)

        return done

    def _indexed(self, record: Record) -> Indexed:
        error = record.error
        try:
            key = key_of(record, self._key_field)
        except InputError as key_error:
            key, error = raw_key(record), key_error
        if error is None:
            return Indexed(key, record.line, self._source.kept(record))
        letter = letter_of(error)
        return Indexed(key, record.line, self._source.kept(record), letter.error, letter.fingerprint)
