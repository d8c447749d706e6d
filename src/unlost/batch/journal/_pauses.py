"""What held the run: rests that a server asked for, and outages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from unlost.batch.journal._door import Connection


class Pause(NamedTuple):
    """
    One of them, as it stands.

    Attributes:
        number: Of the pause in this opening: told again, it is the same one.
        kind: ``rest`` or ``outage``.
        scope: The limit key that rests; empty where that is the whole run.
        began: When, in seconds since 1970.
        ended: Likewise; None while it lasts.
        refused: How many calls came to it, which are no attempts of their items.
        error: An example, as JSON: the record of the error; None where that was told before.
    """

    number: int
    kind: Literal["rest", "outage"]
    scope: str
    began: float
    ended: float | None
    refused: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Paused:
    """
    The pauses of a run, of all its openings.

    Attributes:
        rests: How many rests there were.
        outages: How many outages.
        refused: How many calls came to them.
        seconds: How long they lasted, added up; what was cut off by a kill does not count.
    """

    rests: int = 0
    outages: int = 0
    refused: int = 0
    seconds: float = 0.0


NEVER_PAUSED = Paused()


class Pauses:
    """The operations of one opening of a journal; see ``Journal``."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._rows: dict[int, int] = {}

    def note(self, connection: Connection, pauses: list[Pause]) -> None:
        """Store each pause, or what has changed about it."""
        for pause in pauses:
            row = self._rows.get(pause.number)
            if row is None:
                connection.execute(
                    "INSERT INTO pause(epoch, began, ended, kind, scope, refused, error) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (self._epoch, pause.began, pause.ended, pause.kind, pause.scope, pause.refused, pause.error),
                )
                self._rows[pause.number] = next(iter(connection.execute("SELECT last_insert_rowid()")))[0]
            else:
                connection.execute(
                    "UPDATE pause SET ended = ?, refused = ?, error = coalesce(?, error) WHERE id = ?",
                    (pause.ended, pause.refused, pause.error, row),
                )


def read_paused(connection: Connection) -> Paused:
    """Add up the pauses of a run."""
    rows = connection.execute(
        """SELECT coalesce(sum(kind = 'rest'), 0), coalesce(sum(kind = 'outage'), 0), coalesce(sum(refused), 0),
        coalesce(sum(ended - began), 0.0) FROM pause"""
    )
    return next(Paused(*row) for row in rows)


def read_why(connection: Connection) -> str | None:
    """Return why the last opening stopped by itself; None if it did not."""
    rows = connection.execute("SELECT why FROM epoch ORDER BY epoch DESC LIMIT 1")
    return next((why for (why,) in rows), None)
