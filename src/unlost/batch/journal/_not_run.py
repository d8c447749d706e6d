"""Dead letters that no rerun helps: what never was an item, and what is no longer in the source as it was."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from unlost.batch.journal._door import Connection

_PRESENT = "item.scan >= (SELECT coalesce(max(scan), 0) FROM scan WHERE complete)"


@dataclass(frozen=True, slots=True)
class PutAside:
    """
    Dead letters that were to run again, and whose record is gone from the source, or was edited there.

    Attributes:
        count: How many there are.
        line: Where the first of them stood when it was last seen.
    """

    count: int
    line: int

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def read_put_aside(connection: Connection) -> PutAside | None:
    """Return what a rerun found withdrawn: it is in no bucket of what failed; None: there is nothing."""
    rows = connection.execute(
        f"""SELECT count(*), min(item.line) FROM item LEFT JOIN outcome ON outcome.item = item.id
        WHERE NOT ({_PRESENT}) AND id IN (SELECT item FROM past)
        AND (kind = 'input' OR (outcome.item IS NULL AND id NOT IN (SELECT item FROM claim)))"""
    )
    return next((PutAside(count, line) for count, line in rows if count), None)


def read_no_items(connection: Connection) -> int:
    """Return how many dead letters were refused as they were read, and so were never started."""
    rows = connection.execute(
        f"""SELECT count(*) FROM outcome JOIN item ON item.id = outcome.item
        WHERE NOT ok AND {_PRESENT} AND item NOT IN (SELECT item FROM claim)"""
    )
    count: int = next(iter(rows))[0]
    return count
