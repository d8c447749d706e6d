"""A journal without a thread and a loop: what the writer would have done, done at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from unlost.batch.journal._again import Again, choose
from unlost.batch.journal._books import Books, read_books
from unlost.batch.journal._door import SQLITE, Connection, close_writing, for_reading, for_writing
from unlost.batch.journal._index import Index, Indexed, Refuse
from unlost.batch.journal._journal import Claimed, Ended, Journal
from unlost.batch.journal._opening import Epoch, make_journal, open_epoch

META = {"run_id": "r", "target": "jobs:fetch", "source": "in.jsonl", "path": "in.jsonl", "format": "lines", "key": ""}


def indexed(line: int, key: str, raw: bytes | None = None, *, error: bool = False) -> Indexed:
    """Return a record of the source; its bytes are its key if nothing else is said."""
    body = key.encode() if raw is None else raw
    return Indexed(key, line, body, '{"bad": 1}', "f00d") if error else Indexed(key, line, body)


def refuse_duplicate(key: str, line: int, first: int) -> tuple[str, str]:
    return f'{{"duplicate": "{key}", "line": {line}, "first": {first}}}', "dada"


def value_of(claimed: Claimed, value: str = "1") -> Ended:
    """Return the outcome of an item that returned ``value`` (JSON)."""
    return Ended(claimed.item, claimed.key, claimed.line, True, 1, 5, value, generation=claimed.generation)


def failure_of(claimed: Claimed, fingerprint: str = "abc123", attempts: int = 1) -> Ended:
    return Ended(
        claimed.item, claimed.key, claimed.line, False, attempts, 5,
        kind="transient", fingerprint=fingerprint, error=f'{{"of": "{claimed.key}"}}',
        generation=claimed.generation,
    )  # fmt: skip


class Session:
    """One opening of a journal."""

    def __init__(
        self,
        path: Path,
        *,
        retry: bool = False,
        refuse: Refuse | None = None,
        again: Again | None = None,
        tag: str | None = None,
        same: int | None = None,
    ) -> None:
        self.path = path
        self.connection: Connection = for_writing(SQLITE, path, "process")
        make_journal(self.connection, path, META)
        if again is not None:
            choose(self.connection, again)
            retry = retry or again.in_doubt
        epoch = Epoch('{"given": {}, "out": null}', "hash", tag=tag)
        self.opening = opening = open_epoch(self.connection, epoch, scans=again is None)
        self.journal = Journal(
            opening.epoch, opening.scan, opening.next_seq, retry_in_doubt=retry, chosen=again is not None
        )
        self.journal.scanned = again is not None
        self.index = Index(self.journal, self.opening.scan, self.opening.next_item, refuse, same)

    def scan(
        self, records: Iterable[Indexed], *, chunk: int = 500, complete: bool | None = True, blank: int = 0
    ) -> None:
        """Enter records; ``complete=None`` is a scan that a kill cut off."""
        records = list(records)
        for start in range(0, len(records), chunk):
            self.index.enter(self.connection, [records[start : start + chunk]])
        if complete is not None:
            self.index.finish(self.connection, [(complete, len(records), blank)])

    def claim(self, count: int = 1000) -> list[Claimed]:
        return self.journal.claim(self.connection, [count])[0][0]

    def end(self, *outcomes: Ended) -> None:
        self.journal.end(self.connection, list(outcomes))

    def release(self, *claimed: Claimed) -> None:
        self.journal.release(self.connection, [[one.item for one in claimed]])

    def books(self) -> Books:
        return read_books(self.connection)

    def kill(self) -> None:
        """End without a word, as a process that is killed does."""
        self.connection.close()

    def close(self) -> None:
        self.journal.close(self.connection, [("complete", None)])
        close_writing(SQLITE, self.connection)


def books_of(path: Path) -> Books:
    with for_reading(SQLITE, path) as connection:
        return read_books(connection)


def buckets(books: Books) -> dict[str, int]:
    """Return the buckets that hold something; the books must balance."""
    assert books.balance, books
    names = ("ok", "failed", "in_doubt", "pending", "withdrawn")
    return {name: getattr(books, name) for name in names if getattr(books, name)}
