"""
The books of a run, read from its journal: where every input is, and which errors the failed ones had.

Each bucket is counted by a query of its own, never as what is left over, so that an item in no bucket, or in two,
makes the books not balance instead of going unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, TypedDict

from unlost.batch.journal._door import Connection
from unlost.batch.journal._journal import name_of
from unlost.batch.journal._kept import KeptBriefly, read_kept_briefly
from unlost.batch.journal._spend import NOTHING, Amount

# Seen by the last scan that reached the end of the source, or by one after it
_PRESENT = "item.scan >= (SELECT coalesce(max(scan), 0) FROM scan WHERE complete)"
_NOT_GONE = f"(item.id IS NULL OR {_PRESENT})"
_CLAIMED = "EXISTS (SELECT 1 FROM claim WHERE claim.item = item.id)"
_ENDED = "EXISTS (SELECT 1 FROM outcome WHERE outcome.item = item.id)"
_COUNTS = {
    "inputs": "SELECT count(*) FROM item",
    # LEFT: what belongs to no item is counted as well, and does not balance
    "ok": f"SELECT count(*) FROM outcome LEFT JOIN item ON item.id = outcome.item WHERE ok AND {_NOT_GONE}",
    "failed": f"SELECT count(*) FROM outcome LEFT JOIN item ON item.id = outcome.item WHERE NOT ok AND {_NOT_GONE}",
    "in_doubt": f"""SELECT count(*) FROM claim LEFT JOIN item ON item.id = claim.item
        WHERE NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.item = claim.item) AND {_NOT_GONE}""",
    "pending": f"SELECT count(*) FROM item WHERE NOT {_CLAIMED} AND NOT {_ENDED} AND {_PRESENT}",
    "withdrawn": f"SELECT count(*) FROM item WHERE NOT ({_PRESENT})",
    "read": "SELECT (SELECT records FROM scan ORDER BY scan DESC LIMIT 1)",
    "blank": "SELECT (SELECT blank FROM scan ORDER BY scan DESC LIMIT 1)",
    "seen": "SELECT count(*) FROM item WHERE scan = (SELECT max(scan) FROM scan)",
    "whole": "SELECT coalesce((SELECT complete FROM scan ORDER BY scan DESC LIMIT 1), 0)",
    "changed": "SELECT coalesce((SELECT changed FROM scan ORDER BY scan DESC LIMIT 1), 0)",
    "retries": "SELECT coalesce(sum(attempts - 1), 0) FROM outcome WHERE attempts > 1",
    "recovered": "SELECT count(*) FROM outcome WHERE ok AND attempts > 1",
}


@dataclass(frozen=True, slots=True)
class Books:
    """
    Where every input is.

    Attributes:
        inputs: Items ever seen.
        ok: Ended with a value.
        failed: Ended with an error: the dead letters.
        in_doubt: Started, and nobody knows how that ended.
        pending: Never started.
        withdrawn: Gone from the source, however they ended.
        read: Records that the last scan counted while reading; None if it was cut off, or goes on.
        seen: Items that the last scan saw.
        blank: Lines of white space that the last scan passed over, which are no inputs; None likewise.
        whole: Whether the last scan reached the end of the source: not with ``--first``, nor where it was cut off.
        changed: Records under a ``--key`` that are not what they were when their item was first started, or ended.
        retries: Attempts beyond the first.
        recovered: Items that ended with a value after a failed attempt.
    """

    inputs: int
    ok: int
    failed: int
    in_doubt: int
    pending: int
    withdrawn: int
    read: int | None
    seen: int
    blank: int | None
    whole: bool
    changed: int
    retries: int
    recovered: int

    @property
    def accounted(self) -> int:
        """The sum of the buckets."""
        return self.ok + self.failed + self.in_doubt + self.pending + self.withdrawn

    @property
    def balance(self) -> bool:
        """Whether every input is in exactly one bucket, and every record that was read is an item."""
        return self.inputs == self.accounted and self.read in (None, self.seen)

    def as_json(self) -> dict[str, int | bool | None]:
        return {**asdict(self), "balance": self.balance}


class Dead(TypedDict):
    """One failed item, for ``show``."""

    key: str
    line: int
    attempts: int
    ms: int
    kind: str
    fingerprint: str
    error: Any  # an ErrorRecord, as JSON reads it back
    input: str | None  # None: not kept
    spent: Amount | None  # by all attempts at it, in all generations; None: nothing was said
    kept: list[KeptBriefly]


@dataclass(frozen=True, slots=True)
class Group:
    """
    Failed items whose errors have one fingerprint.

    Attributes:
        fingerprint: In full; the first six digits are shown.
        count: Of items.
        kind: Value of a ``Kind``.
        line: Of the first example in the source.
        key: Of that example.
        error: The record of its error.
        spent: What all attempts at these items spent, in all generations.
    """

    fingerprint: str
    count: int
    kind: str
    line: int
    key: str
    error: Any  # an ErrorRecord, as JSON reads it back
    spent: Amount = NOTHING


def read_books(connection: Connection) -> Books:
    """Count every bucket, in one snapshot."""
    connection.execute("BEGIN")
    try:
        counts = {name: next(iter(connection.execute(query)))[0] for name, query in _COUNTS.items()}
        return Books(**{**counts, "whole": bool(counts["whole"])})
    finally:
        connection.execute("COMMIT")


def read_groups(connection: Connection) -> list[Group]:
    """Return the groups of failed items, the largest first."""
    spent = _spent_by_fingerprint(connection)
    rows = connection.execute(
        f"""SELECT fingerprint, count(*), kind, min(item.line), key, ordinal, error
        FROM outcome JOIN item ON item.id = outcome.item WHERE NOT ok AND {_PRESENT}
        GROUP BY fingerprint ORDER BY count(*) DESC, min(item.line)"""
    )
    return [
        Group(
            fingerprint, count, kind, line, name_of(key, ordinal), json.loads(error), spent.get(fingerprint, NOTHING)
        )
        for fingerprint, count, kind, line, key, ordinal, error in rows
    ]  # fmt: skip


def _spent_by_fingerprint(connection: Connection) -> dict[str, Amount]:
    rows = connection.execute(
        f"""SELECT fingerprint, sum(nano_usd), sum(input_tokens), sum(output_tokens)
        FROM spend CROSS JOIN outcome ON outcome.item = spend.item CROSS JOIN item ON item.id = spend.item
        WHERE NOT ok AND {_PRESENT} GROUP BY fingerprint"""
    )  # CROSS: SQLite then begins with spend, and who spent nothing pays nothing for it
    return {fingerprint: Amount(*sums) for fingerprint, *sums in rows}


def read_dead(connection: Connection, fingerprint: str) -> Iterator[Dead]:
    """Yield the failed items whose fingerprint begins so, in the order of the source."""
    rows = connection.execute(
        f"""SELECT id, key, ordinal, item.line, attempts, ms, kind, fingerprint, error, raw, nano, tokens_in, tokens_out
        FROM outcome JOIN item ON item.id = outcome.item JOIN input ON input.item = item.id
        LEFT JOIN (SELECT item, sum(nano_usd) AS nano, sum(input_tokens) AS tokens_in, sum(output_tokens) AS tokens_out
            FROM spend GROUP BY item) AS spent ON spent.item = item.id
        WHERE NOT ok AND {_PRESENT} AND substr(fingerprint, 1, ?) = ? ORDER BY item.line, item.id""",
        (len(fingerprint), fingerprint),
    )
    kept = next(iter(connection.execute("SELECT value FROM meta WHERE name = 'inputs'")), None) != ("hash",)
    for item, key, ordinal, line, attempts, ms, kind, full, error, raw, *sums in rows:
        text = bytes(raw).decode("utf-8", "backslashreplace") if kept else None
        yield Dead(
            key=name_of(key, ordinal), line=line, attempts=attempts, ms=ms, kind=kind, fingerprint=full,
            error=json.loads(error), input=text, spent=None if None in sums else Amount(*sums),
            kept=read_kept_briefly(connection, item),
        )  # fmt: skip


def read_results_file(connection: Connection) -> str | None:
    """Return the absolute path of the results file that holds most, None where there is none."""
    rows = connection.execute("SELECT path FROM results ORDER BY seq DESC, path LIMIT 1")
    return next((path for (path,) in rows), None)


class InDoubt(NamedTuple):
    """
    An item that was started, and nobody knows how that ended.

    Attributes:
        key: Of the item.
        line: In the source.
        starts: How often it was started, attempts not counted.
        survived: What its attempts had failed with when it was cancelled: title, place and fingerprint of each.
    """

    key: str
    line: int
    starts: int
    survived: tuple[dict[str, str], ...] = ()


def read_in_doubt(connection: Connection) -> Iterator[InDoubt]:
    """Yield each item in doubt, in the order of the source."""
    rows = connection.execute(
        f"""SELECT key, ordinal, line, times, survived FROM claim JOIN item ON item.id = claim.item
        WHERE NOT {_ENDED} AND {_PRESENT} ORDER BY item.line, item.id"""
    )
    for key, ordinal, line, times, survived in rows:
        yield InDoubt(name_of(key, ordinal), line, times, tuple(json.loads(survived or "[]")))
