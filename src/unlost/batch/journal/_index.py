"""
Entering the source into the journal: which records are new, which were seen before, which are no items at all.

Equal records are told apart by an ordinal, 1 for the first in the file. In one scan the ordinals of a key are given
out without gaps, so the last one given is found by bisection: memory stays flat however many records are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from unlost.batch.journal._door import Connection, Row
from unlost.batch.journal._journal import Ended, Journal, name_of

_ALL = 2**31 - 1  # bytes: more than SQLite holds in one value

_BEGUN = """(EXISTS (SELECT 1 FROM outcome WHERE outcome.item = input.item)
    OR EXISTS (SELECT 1 FROM claim WHERE claim.item = input.item)
    OR (SELECT generation FROM item WHERE id = input.item) > 1)"""
"""Whether an item ended, or may have been started, in this generation or an earlier one: it stays what it was then."""

Refuse: TypeAlias = Callable[[str, int, int], tuple[str, str]]
"""Takes a duplicate key, its line and the first one's line; returns the error's record (JSON) and fingerprint."""


@dataclass(slots=True)  # not frozen: one for each item, and each field would cost a call
class Indexed:
    """
    One record of the source on its way into the journal.

    Attributes:
        key: Of the record.
        line: 1-based line of its first character.
        raw: What is kept of it.
        error: The record of the error (JSON), where the source could not make an item of it.
        fingerprint: Of that error.
    """

    key: str
    line: int
    raw: bytes
    error: str | None = None
    fingerprint: str | None = None


@dataclass(slots=True)
class _Rows:
    """What one chunk changes."""

    new: list[tuple[int, str, int, int, int]] = field(default_factory=list)
    inputs: list[tuple[int, bytes]] = field(default_factory=list)
    again: list[tuple[int, int, int]] = field(default_factory=list)
    edited: list[tuple[bytes, int]] = field(default_factory=list)
    refused: list[Ended] = field(default_factory=list)


class Index:
    """
    The operations of one scan.

    Args:
        journal: Where refused records end.
        scan: Number of this reading of the source.
        next_item: The first item number that is free.
        refuse_duplicate: Where a duplicate key is an error (``--key``): makes that error.
        same: How many bytes of what is kept tell whether a record is the same; the rest says where it stands, which
            is kept up to date. None: all bytes do.
    """

    def __init__(
        self,
        journal: Journal,
        scan: int,
        next_item: int,
        refuse_duplicate: Refuse | None,
        same: int | None = None,
    ) -> None:
        self._journal = journal
        self._scan = scan
        self._next_item = next_item
        self._refuse_duplicate = refuse_duplicate
        self._same = _ALL if same is None else same
        self._compared = refuse_duplicate is not None or same is not None
        self._changed = 0  # records that were edited after their item had begun

    def enter(self, connection: Connection, chunks: list[Sequence[Indexed]]) -> None:
        """Enter records: new ones as items, known ones as seen again; those with an error end at once."""
        for chunk in chunks:
            self._enter(connection, chunk)

    def finish(self, connection: Connection, reports: list[tuple[bool, int, int]]) -> None:
        """Note that reading ended: whether with the source's end, after how many records and blank lines."""
        for complete, records, blank in reports:
            connection.execute(
                "UPDATE scan SET complete = ?, records = ?, blank = ?, changed = ? WHERE scan = ?",
                (int(complete), records, blank, self._changed, self._scan),
            )
        self._journal.scanned = True

    def _enter(self, connection: Connection, chunk: Sequence[Indexed]) -> None:
        firsts = _firsts(connection, chunk)
        last: dict[str, int] = {}  # the last ordinal that this scan gave, for keys met in this chunk
        rows = _Rows()
        for record in chunk:
            key = record.key
            if key not in last:
                first = firsts.get(key)
                last[key] = self._last_ordinal(connection, key) if first and first[2] == self._scan else 0
            ordinal = last[key] = last[key] + 1
            known = firsts.get(key) if ordinal == 1 else _find(connection, key, ordinal)
            if known is not None:
                item = self._see_again(rows, record, known[0])
            else:
                item = self._enter_new(rows, record, ordinal, firsts)
            if ordinal == 1:
                firsts[key] = (item, record.line, self._scan)
        self._write(connection, rows)

    def _see_again(self, rows: _Rows, record: Indexed, item: int) -> int:
        rows.again.append((record.line, self._scan, item))
        if self._compared:  # the key is the user's: the record under it may have been edited; or it may have moved
            rows.edited.append((record.raw, item))
        return item

    def _enter_new(self, rows: _Rows, record: Indexed, ordinal: int, firsts: dict[str, Row]) -> int:
        item = self._next_item
        self._next_item += 1
        rows.new.append((item, record.key, ordinal, record.line, self._scan))
        rows.inputs.append((item, record.raw))
        error, fingerprint = record.error, record.fingerprint
        if error is None and ordinal > 1 and self._refuse_duplicate is not None:
            error, fingerprint = self._refuse_duplicate(record.key, record.line, firsts[record.key][1])
        if error is not None:
            name = name_of(record.key, ordinal)
            ended = Ended(item, name, record.line, False, 0, 0, kind="input", fingerprint=fingerprint, error=error)
            rows.refused.append(ended)
        return item

    def _last_ordinal(self, connection: Connection, key: str) -> int:
        """Return the greatest ordinal of the key that this scan gave; 1 is known to be given."""
        given, step = 1, 1
        while self._is_given(connection, key, given + step):
            given += step
            step *= 2
        while step > 1:
            step //= 2
            if self._is_given(connection, key, given + step):
                given += step
        return given

    def _is_given(self, connection: Connection, key: str, ordinal: int) -> bool:
        row = _find(connection, key, ordinal)
        return row is not None and row[2] == self._scan

    def _count_changed(self, connection: Connection, edited: list[tuple[bytes, int]]) -> None:
        """Count the records that are not what their item was when it began: it stays that, but not silently."""
        for raw, item in edited:
            found = connection.execute(
                f"SELECT 1 FROM input WHERE item = ? AND raw <> ? AND substr(raw, 1, ?) <> ? AND {_BEGUN}",
                (item, raw, self._same, raw[: self._same]),
            )
            self._changed += sum(1 for _row in found)

    def _write(self, connection: Connection, rows: _Rows) -> None:
        connection.executemany("INSERT INTO item(id, key, ordinal, line, scan) VALUES (?, ?, ?, ?, ?)", rows.new)
        connection.executemany("INSERT INTO input(item, raw) VALUES (?, ?)", rows.inputs)
        connection.executemany("UPDATE item SET line = ?, scan = ? WHERE id = ?", rows.again)
        self._count_changed(connection, rows.edited)
        connection.executemany(
            f"UPDATE input SET raw = ? WHERE item = ? AND raw <> ? AND (substr(raw, 1, ?) = ? OR NOT {_BEGUN})",
            [(raw, item, raw, self._same, raw[: self._same]) for raw, item in rows.edited],
        )
        self._journal.end(connection, rows.refused)


def _firsts(connection: Connection, chunk: Sequence[Indexed]) -> dict[str, Row]:
    """Return (item, line, scan) of the first record of each key that the journal knows."""
    keys = [record.key for record in chunk]  # bound one by one: json_each would cut a key at a NUL
    places = ",".join("?" * len(keys))
    rows = connection.execute(f"SELECT key, id, line, scan FROM item WHERE key IN ({places}) AND ordinal = 1", keys)
    return {key: (item, line, scan) for key, item, line, scan in rows}


def _find(connection: Connection, key: str, ordinal: int) -> Row | None:
    row = connection.execute("SELECT id, line, scan FROM item WHERE key = ? AND ordinal = ?", (key, ordinal))
    return next(iter(row), None)
