"""What attempts say they spent."""

from __future__ import annotations

from typing import NamedTuple

from unlost.batch.journal._door import Connection


class Spend(NamedTuple):
    """
    What one attempt said once.

    Attributes:
        item: Whose.
        generation: Of the item.
        epoch: In which opening.
        attempt: From 1, in that opening.
        nano_usd: Billionths of a dollar.
        input_tokens: That were sent.
        output_tokens: That came back.
        charge: What names it to who charges; the same one of an item counts once, however often it is told.
    """

    item: int
    generation: int
    epoch: int
    attempt: int
    nano_usd: int
    input_tokens: int
    output_tokens: int
    charge: str | None


def spend(connection: Connection, spent: list[Spend]) -> None:
    """Store it: an operation of the writer."""
    connection.executemany(
        """INSERT INTO spend(item, generation, epoch, attempt, nano_usd, input_tokens, output_tokens, charge)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
        spent,
    )
