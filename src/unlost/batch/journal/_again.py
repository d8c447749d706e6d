"""Running items again although their outcome is known: their generation is raised, and that outcome is past."""

from __future__ import annotations

from dataclasses import dataclass

from unlost.batch.journal._door import Connection


@dataclass(frozen=True, slots=True)
class Again:
    """
    Which items to run again.

    Attributes:
        fingerprint: Dead letters whose fingerprint begins so, as it is shown; None does not narrow them.
        kind: Dead letters of this kind, as the value of a ``Kind``; None does not narrow them.
        in_doubt: Items in doubt, which keep their generation; then dead letters only where they are narrowed as well.
        fresh: Forget what the items had kept.
    """

    fingerprint: str | None = None
    kind: str | None = None
    in_doubt: bool = False
    fresh: bool = False

    @property
    def dead(self) -> bool:
        """Whether dead letters are among them."""
        return not self.in_doubt or self.fingerprint is not None or self.kind is not None


def choose(connection: Connection, again: Again) -> int:
    """
    Put the items into a temporary table ``chosen``, those with an outcome back into the state before their first start.

    Records that were no items, and so were never started, are not among them: they would be none again.

    Returns:
        How many there are.
    """
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TEMP TABLE chosen(item INTEGER PRIMARY KEY)")
    present = "item.scan >= (SELECT coalesce(max(scan), 0) FROM scan WHERE complete)"
    if again.dead:
        start = again.fingerprint
        connection.execute(
            f"""INSERT INTO chosen SELECT item FROM outcome JOIN item ON item.id = outcome.item
            WHERE NOT ok AND item IN (SELECT item FROM claim) AND {present}
            AND (? IS NULL OR kind = ?) AND (? IS NULL OR substr(fingerprint, 1, ?) = ?)""",
            (again.kind, again.kind, start, len(start or ""), start),
        )
    connection.execute("INSERT INTO past SELECT * FROM outcome WHERE item IN chosen")
    connection.execute("UPDATE item SET generation = generation + 1 WHERE id IN chosen")
    connection.execute("DELETE FROM claim WHERE item IN chosen")
    connection.execute("DELETE FROM outcome WHERE item IN chosen")
    if again.in_doubt:
        connection.execute(
            f"""INSERT INTO chosen SELECT claim.item FROM claim JOIN item ON item.id = claim.item
            WHERE claim.item NOT IN (SELECT item FROM outcome) AND {present}"""
        )
    if again.fresh:
        connection.execute("DELETE FROM kept WHERE item IN chosen")
    count: int = next(iter(connection.execute("SELECT count(*) FROM chosen")))[0]
    connection.execute("COMMIT")
    return count
