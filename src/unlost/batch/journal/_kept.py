"""What attempts keep for later ones: bytes as they are, anything else as JSON."""

from __future__ import annotations

from typing import NamedTuple

from unlost.batch.journal._door import Connection


class Keep(NamedTuple):
    """Something to keep; a second one of that name replaces the first."""

    item: int
    name: str
    generation: int
    epoch: int
    attempt: int
    value: bytes | str


def keep(connection: Connection, kept: list[Keep]) -> None:
    """Store it: an operation of the writer."""
    connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?)", kept)


def read_kept(connection: Connection, item: int) -> dict[str, bytes | str]:
    """Return what is kept of an item, by name."""
    return dict(connection.execute("SELECT name, value FROM kept WHERE item = ?", (item,)))
