"""What attempts keep for later ones: bytes as they are, anything else as JSON."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypedDict

from unlost.batch.journal._door import Connection

_BEGINNING = 200


class Keep(NamedTuple):
    """Something to keep; a second one of that name replaces the first."""

    item: int
    name: str
    generation: int
    epoch: int
    attempt: int
    value: bytes | str


class KeptBriefly(TypedDict):
    """
    Something that is kept, for ``show``.

    Attributes:
        name: Which it was given.
        form: Of the value.
        size: Bytes, or characters of JSON.
        begins: Its first 200 of these.
        whole: Whether that is all of it.
    """

    name: str
    form: Literal["bytes", "json"]
    size: int
    begins: str
    whole: bool


def keep(connection: Connection, kept: list[Keep]) -> None:
    """Store it: an operation of the writer."""
    connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?, ?)", kept)


def read_kept(connection: Connection, item: int) -> dict[str, bytes | str]:
    """Return what is kept of an item, by name."""
    return dict(connection.execute("SELECT name, value FROM kept WHERE item = ?", (item,)))


def read_kept_briefly(connection: Connection, item: int) -> list[KeptBriefly]:
    """Return what is kept of an item without reading megabytes, in the order of the names."""
    rows = connection.execute(
        "SELECT name, length(value), substr(value, 1, ?) FROM kept WHERE item = ? ORDER BY name", (_BEGINNING, item)
    )
    return [_briefly(name, size, beginning) for name, size, beginning in rows]


def _briefly(name: str, size: int, beginning: bytes | str) -> KeptBriefly:
    whole = len(beginning) == size
    if isinstance(beginning, str):
        return KeptBriefly(name=name, form="json", size=size, begins=beginning, whole=whole)
    text = beginning.decode("utf-8", "backslashreplace")
    return KeptBriefly(name=name, form="bytes", size=size, begins=text, whole=whole)
