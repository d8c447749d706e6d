"""The items of a run that have ended, one by one, as the journal has them at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

from unlost.batch.journal._door import Connection
from unlost.batch.journal._journal import name_of
from unlost.batch.journal._spend import Amount

Order: TypeAlias = Literal["input", "completion"]

_PRESENT = "item.scan >= (SELECT coalesce(max(scan), 0) FROM scan WHERE complete)"
_BY = {"input": "item.line, item.id", "completion": "outcome.seq"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """
    Which items, in which order.

    Attributes:
        ok: Those that ended with a value.
        dead: Those that ended with an error.
        withdrawn: Also those that are gone from the source.
        order: As they stand in the source, or as they ended.
    """

    ok: bool = True
    dead: bool = True
    withdrawn: bool = False
    order: Order = "input"


@dataclass(frozen=True, slots=True)
class EndedItem:
    """
    An item and its outcome.

    Attributes:
        item: Its number in the journal.
        key: Its name to the user.
        line: Where it stands in the source as it was read last.
        ok: Whether there is a value; if not, there is an error with kind and fingerprint.
        attempts: In the opening in which it ended; 0 for a record that is no item.
        held: How often it was sent away, which is no attempt.
        ms: Milliseconds from the first start to the end.
        generation: 1, and one more each time that it was run again although its outcome was known.
        ended: Seconds since 1970.
        tag: Of the opening in which it ended; None where it had none.
        source_hash: Of the code that it ran with.
        revision: The commit of that code; None where there is none.
        value: JSON.
        kind: Value of a ``Kind``.
        fingerprint: Of the error.
        error: JSON: the record of the error.
    """

    item: int
    key: str
    line: int
    ok: bool
    attempts: int
    held: int
    ms: int
    generation: int
    ended: float
    tag: str | None
    source_hash: str
    revision: str | None
    value: str | None
    kind: str | None
    fingerprint: str | None
    error: str | None


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """
    Let all that is read in the block be of one moment, whatever a run writes meanwhile.

    The journal cannot shrink its ``-wal`` until then, nor change its mode.
    """
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def read_ended(connection: Connection, chosen: Chosen) -> Iterator[EndedItem]:
    """Yield the chosen items; memory is bounded by the largest one, since only their numbers are sorted."""
    numbers = connection.execute(
        f"""SELECT item.id FROM outcome JOIN item ON item.id = outcome.item
        WHERE (CASE WHEN ok THEN ? ELSE ? END) AND (? OR {_PRESENT}) ORDER BY {_BY[chosen.order]}""",
        (chosen.ok, chosen.dead, chosen.withdrawn),
    )
    for (number,) in numbers:
        yield _ended_item(connection, number)


def _ended_item(connection: Connection, number: int) -> EndedItem:
    rows = connection.execute(
        """SELECT item.id, key, ordinal, item.line, ok, attempts, held, ms, outcome.generation, outcome.ended,
            tag, source_hash, revision, value, kind, fingerprint, error
        FROM item JOIN outcome ON outcome.item = item.id JOIN epoch ON epoch.epoch = outcome.epoch WHERE item.id = ?""",
        (number,),
    )
    item, key, ordinal, line, ok, *rest = next(iter(rows))
    return EndedItem(item, name_of(key, ordinal), line, bool(ok), *rest)


def read_input(connection: Connection, item: int) -> bytes | None:
    """Return the record of an item as it was read; None where it was purged."""
    rows = connection.execute("SELECT raw FROM input WHERE item = ?", (item,))
    return next((bytes(raw) for (raw,) in rows), None)


def read_spent_on(connection: Connection, item: int) -> Amount | None:
    """Sum what was ever spent on an item; None where nothing was said."""
    query = "SELECT count(*), sum(nano_usd), sum(input_tokens), sum(output_tokens) FROM spend WHERE item = ?"
    count, *sums = next(iter(connection.execute(query, (item,))))
    return Amount(*sums) if count else None
