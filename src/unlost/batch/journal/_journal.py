"""
The journal's writes: claims before the start, outcomes after the end.

Guarantees:
    - An item is handed out after its claim is committed.
    - What was claimed and has no outcome is in doubt: it is not handed out again unless that is asked for.
    - An item has one outcome; a second one is an error of ours and stops the run.

Every method here is an operation of the writer: it runs in its thread and takes all the payloads that wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from unlost._core import wall
from unlost.batch.journal._door import Connection
from unlost.batch.journal._kept import read_kept
from unlost.batch.journal._lost import was_lost


@dataclass(slots=True)  # not frozen: one for each item, and each field would cost a call
class Claimed:
    """
    An item that may start: its claim is durable.

    Attributes:
        item: Its number in the journal.
        key: Its name to the user.
        line: Where it stands in the source.
        raw: Its record.
        generation: 1, and one more each time that it is run again although its outcome was known.
        doubts: How often it was started before in this generation and never heard of again.
        kept: What earlier openings had kept of it: bytes as they were, anything else as JSON; None: nothing.
        was_lost: Whether a process that ran it alone died of it, in an earlier generation.
    """

    item: int
    key: str
    line: int
    raw: bytes
    generation: int = 1
    doubts: int = 0
    kept: Mapping[str, bytes | str] | None = None
    was_lost: bool = False


@dataclass(slots=True)  # not frozen: one for each item, and each field would cost a call
class Ended:
    """
    The outcome of an item, as the journal stores it.

    Attributes:
        item: Its number in the journal.
        key: Its name to the user.
        line: Where it stands in the source.
        ok: Whether there is a value; if not, there is an error with kind and fingerprint.
        attempts: How often it was started; 0 for a record that is no item.
        ms: Milliseconds from the first start to the end.
        value: JSON.
        survived: JSON: a list of the errors that earlier attempts raised; None if there were none.
        kind: Value of a ``Kind``.
        fingerprint: Of the error.
        error: JSON: the record of the error.
        generation: Of the item.
        held: How often it was sent away with the request to come back later, which is no attempt.
    """

    item: int
    key: str
    line: int
    ok: bool
    attempts: int
    ms: int
    value: str | None = None
    survived: str | None = None
    kind: str | None = None
    fingerprint: str | None = None
    error: str | None = None
    generation: int = 1
    held: int = 0


def name_of(key: str, ordinal: int) -> str:
    """Return the name of an item to its user: the key, and which of several equal ones it is."""
    return key if ordinal == 1 else f"{key}-{ordinal}"


class Journal:
    """
    The operations of one opening of a journal.

    Args:
        epoch: Number of this opening.
        scan: Number of this opening's reading of the source: only what it saw is handed out.
        next_seq: The first sequence number of an outcome that is free.
        retry_in_doubt: Whether to hand out again what earlier openings left in doubt.
        chosen: Whether only the items of the table ``chosen`` are handed out.
    """

    def __init__(self, epoch: int, scan: int, next_seq: int, *, retry_in_doubt: bool, chosen: bool = False) -> None:
        self.scanned = False  # whether the scan has ended: set by it, in the writer's thread
        self._fresh: list[tuple[int, Ended]] = []
        self._epoch = epoch
        self._scan = scan
        self._next_seq = next_seq
        self._held_after = epoch - 1 if retry_in_doubt else 0
        self._wanted = "item.id IN chosen AND ? > 0" if chosen else "scan = ?"
        self._cursor = 0
        self._kept_before: bool | None = None
        self._before: dict[int, int] = {}  # by item that is claimed again and has no outcome: the epoch of its claim

    def claim(self, connection: Connection, counts: list[int]) -> list[tuple[list[Claimed], bool]]:
        """For each count, claim up to so many items in order; return them, and whether there can be no more."""
        return [self._claim(connection, count) for count in counts]

    def _claim(self, connection: Connection, count: int) -> tuple[list[Claimed], bool]:
        found = connection.execute(
            f"""SELECT id, key, ordinal, item.line, raw, generation, claim.epoch, claim.times
            FROM item JOIN input ON input.item = item.id
            LEFT JOIN claim ON claim.item = item.id
            WHERE id > ? AND {self._wanted}
            AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.item = item.id)
            AND (claim.epoch IS NULL OR claim.epoch <= ?)
            ORDER BY id LIMIT ?""",
            (self._cursor, self._scan, self._held_after, count),
        )
        claimed = []
        was_kept = self._was_kept(connection)
        for item, key, ordinal, line, raw, generation, before, times in list(found):
            name = name_of(key, ordinal)
            if before is None and generation == 1 and not was_kept:
                claimed.append(Claimed(item, name, line, raw))
                continue
            kept = read_kept(connection, item)
            lost = generation > 1 and was_lost(connection, item)
            claimed.append(Claimed(item, name, line, raw, generation, times or 0, kept or None, lost))
            if before is not None:
                self._before[item] = before
        connection.executemany(
            """INSERT INTO claim(item, epoch, times) VALUES (?, ?, 1)
            ON CONFLICT(item) DO UPDATE SET epoch = excluded.epoch, times = times + 1""",
            [(one.item, self._epoch) for one in claimed],
        )
        if len(claimed) == count:
            self._cursor = claimed[-1].item
            return claimed, False
        # nothing up to here can start any more: it is not looked at again each time the scan enters records
        self._cursor = next(iter(connection.execute("SELECT coalesce(max(id), 0) FROM item")))[0]
        return claimed, self.scanned

    def _was_kept(self, connection: Connection) -> bool:
        """Tell whether earlier openings kept anything: of an item, too, that they gave back as not done."""
        if self._kept_before is None:
            self._kept_before = bool(next(iter(connection.execute("SELECT EXISTS (SELECT 1 FROM kept)")))[0])
        return self._kept_before

    def left(self, connection: Connection, asked: list[None]) -> list[bool]:
        """Tell whether there are items that could be claimed, those at the beginning included."""
        rows = connection.execute(
            f"""SELECT EXISTS (SELECT 1 FROM item LEFT JOIN claim ON claim.item = item.id WHERE {self._wanted}
            AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.item = item.id)
            AND (claim.epoch IS NULL OR claim.epoch <= ?))""",
            (self._scan, self._held_after),
        )
        return [bool(next(iter(rows))[0])] * len(asked)

    def release(self, connection: Connection, chunks: list[Sequence[int]]) -> None:
        """Take back the claims of items that were not started: they are as they were before."""
        for items in chunks:
            mine = [(self._before.pop(item, self._epoch), item, self._epoch) for item in items]
            connection.executemany("UPDATE claim SET times = times - 1, epoch = ? WHERE item = ? AND epoch = ?", mine)
            connection.executemany("DELETE FROM claim WHERE item = ? AND times = 0", [(item,) for item in items])

    def doubt(self, connection: Connection, items: list[tuple[int, str]]) -> None:
        """Note what attempts of an item had failed with (JSON) before it was cancelled: it is in doubt."""
        for item, told in items:  # after what earlier starts of it had failed with
            row = (_joined(_survived(connection, item), told), item)
            connection.execute("UPDATE claim SET survived = ? WHERE item = ?", row)

    def end(self, connection: Connection, outcomes: list[Ended]) -> None:
        """Store outcomes, in the order given."""
        now = wall()
        rows = []
        for seq, ended in enumerate(outcomes, self._next_seq):
            if self._before.pop(ended.item, None) is not None:
                ended = replace(ended, survived=_joined(_survived(connection, ended.item), ended.survived))
            place = (ended.item, ended.generation, seq, self._epoch, now, ended.line)
            counts = (int(ended.ok), ended.attempts, ended.held, ended.ms)
            told = (ended.value, ended.survived, ended.kind, ended.fingerprint, ended.error)
            rows.append((*place, *counts, *told))
            self._fresh.append((seq, ended))
        self._next_seq += len(rows)
        connection.executemany("INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def take_fresh(self) -> list[tuple[int, Ended]]:
        """Return the outcomes stored since the last call, with their sequence numbers; call it after the commit."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def close(self, connection: Connection, ends: list[tuple[str, str | None]]) -> None:
        """Note how this opening of the journal ended, in a word, and why it stopped by itself, if it did."""
        for ended, why in ends:
            row = (wall(), ended, why, self._epoch)
            connection.execute("UPDATE epoch SET closed = ?, ended = ?, why = ? WHERE epoch = ?", row)


def _survived(connection: Connection, item: int) -> str | None:
    """Return what earlier starts of an item that was in doubt had failed with: a JSON list, or None."""
    rows = connection.execute("SELECT survived FROM claim WHERE item = ?", (item,))
    return next((survived for (survived,) in rows), None)


def _joined(earlier: str | None, later: str | None) -> str | None:
    """Return one JSON list of two, none of which is empty."""
    return f"{earlier[:-1]},{later[1:]}" if earlier and later else earlier or later
