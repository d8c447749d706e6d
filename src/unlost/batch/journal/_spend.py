"""What attempts say they spent, and what that comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import NamedTuple, TypedDict

from unlost.batch.journal._door import Connection

NANO = 10**9
"""Parts of a dollar."""


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

    @property
    def amount(self) -> Amount:
        return Amount(self.nano_usd, self.input_tokens, self.output_tokens)


class AmountJSON(TypedDict):
    """An amount as programs read it: dollars are a string, since a JSON number would round them."""

    usd: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Amount:
    """
    So much; false where it is nothing.

    Attributes:
        nano_usd: Billionths of a dollar.
        input_tokens: That were sent.
        output_tokens: That came back.
    """

    nano_usd: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.nano_usd + other.nano_usd,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
        )

    def __bool__(self) -> bool:
        return any(astuple(self))

    def __str__(self) -> str:
        """Return it for people: ``$12.3456 (1,234,567 tokens in, 234,567 out)``."""
        if not self.tokens:
            return dollars(self.nano_usd)
        tokens = f"{self.input_tokens:,} tokens in, {self.output_tokens:,} out"
        return f"{dollars(self.nano_usd)} ({tokens})" if self.nano_usd else tokens

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    @property
    def usd(self) -> Decimal:
        """The dollars, exactly."""
        return Decimal(usd_text(self.nano_usd))  # not divided: that would round as the caller's decimal context says

    def as_json(self) -> AmountJSON:
        return {
            "usd": usd_text(self.nano_usd),
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
        }


NOTHING = Amount()


def usd_text(nano_usd: int) -> str:
    """Return dollars in full, without a sign of the currency: ``12.3456``."""
    whole, rest = divmod(nano_usd, NANO)
    return f"{whole}.{rest:09}".rstrip("0").removesuffix(".")


def dollars(nano_usd: int) -> str:
    """Return dollars for people, in full, with the cents at least: ``$1,234.50``."""
    whole, rest = divmod(nano_usd, NANO)
    parts = f"{rest:09}"
    return f"${whole:,}.{parts[:2]}{parts[2:].rstrip('0')}"


@dataclass(frozen=True, slots=True)
class Spent:
    """
    What a run's attempts said they spent, over all its openings and generations.

    What is in doubt is in it as far as it was said: nobody knows what those calls cost besides.

    Attributes:
        total: All of it.
        failed: What of that was spent by attempts that failed, or were in doubt before their item was started again.
    """

    total: Amount = NOTHING
    failed: Amount = NOTHING


NOTHING_SPENT = Spent()


def spend(connection: Connection, spent: list[Spend]) -> Sequence[object]:
    """Store it: an operation of the writer; tells of each whether it counts, which a charge does once."""
    return [_store(connection, one) for one in spent]


def _store(connection: Connection, one: Spend) -> bool:
    connection.execute(
        """INSERT INTO spend(item, generation, epoch, attempt, nano_usd, input_tokens, output_tokens, charge)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING""",
        one,
    )
    return one.charge is None or next(iter(connection.execute("SELECT changes()")))[0] == 1


# Of the attempt that gave an item its value, in that generation, nothing is lost; of all others that is known by now
_FAILED = """CASE WHEN outcome.item IS NOT NULL
        THEN NOT (outcome.ok AND (spend.epoch, spend.attempt) = (outcome.epoch, outcome.attempts))
    WHEN past.item IS NOT NULL THEN NOT (past.ok AND (spend.epoch, spend.attempt) = (past.epoch, past.attempts))
    ELSE 0 END"""


def read_spent(connection: Connection) -> Spent:
    """Sum what the run spent."""
    total = failed = NOTHING
    rows = connection.execute(
        f"""SELECT {_FAILED} AS failed, sum(nano_usd), sum(input_tokens), sum(output_tokens)
        FROM spend LEFT JOIN outcome ON outcome.item = spend.item AND outcome.generation = spend.generation
        LEFT JOIN past ON past.item = spend.item AND past.generation = spend.generation GROUP BY failed"""
    )
    for is_failed, *sums in rows:
        total += Amount(*sums)
        failed = Amount(*sums) if is_failed else failed
    return Spent(total, failed)


def read_total(connection: Connection) -> Amount:
    """Sum what the run spent, and no more than that."""
    sums = next(iter(connection.execute("SELECT sum(nano_usd), sum(input_tokens), sum(output_tokens) FROM spend")))
    return Amount(*(part or 0 for part in sums))
