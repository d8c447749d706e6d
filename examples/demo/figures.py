"""Whether a finished run says what really happened, judged by the service's table and by its own count of requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from misbehaviour import MISBEHAVIOUR, expected, kind_of


@dataclass(frozen=True, slots=True)
class Figures:
    """
    What a run and the service say.

    Attributes:
        result_lines: The input line of each line of the results file, in the order of that file.
        ok: Items that ended with a value, as the run counts them.
        failed: Items that failed, as the run counts them.
        groups: How many of the failures have the same fingerprint, one number for each.
        recovered: Items that ended with a value after a failed attempt.
        retries: Attempts beyond the first.
        sent_away: Calls that were answered 429 and came back later, which is no attempt.
        items_asked: For how many items the service was asked.
        repeats: How many requests for an item the service got beyond the first.
    """

    result_lines: tuple[int, ...]
    ok: int
    failed: int
    groups: tuple[int, ...]
    recovered: int
    retries: int
    sent_away: int
    items_asked: int
    repeats: int


def contradictions(figures: Figures, count: int) -> list[str]:
    """Return what does not fit, a sentence each, after a run over the items 1 to ``count``; nothing if all does."""
    should = expected(range(1, count + 1))
    failed_by_kind = sorted((each for each in should.failed.values() if each), reverse=True)
    claims: Mapping[str, bool] = {
        f"{figures.ok:,} ok instead of {should.ok:,}": figures.ok == should.ok,
        f"{figures.failed:,} failed instead of {count - should.ok:,}": figures.failed == count - should.ok,
        f"failures in groups of {sorted(figures.groups, reverse=True)} instead of {failed_by_kind}": (
            sorted(figures.groups, reverse=True) == failed_by_kind
        ),
        "the results file does not hold each item that can be had once, and no other": (
            sorted(figures.result_lines) == list(_obtainable(range(1, count + 1)))
        ),
        # where the machine is slow, more attempts than those of the table run into their timeout
        f"{figures.recovered:,} recovered, {figures.sent_away:,} sent away instead of {should.recovered:,} or more": (
            figures.recovered + figures.sent_away >= should.recovered
        ),
        f"the service was asked for {figures.items_asked:,} items instead of {count:,}": figures.items_asked == count,
        # an attempt that times out before it has a connection never reaches the service
        f"the service was asked again {figures.repeats:,} times, and {figures.retries:,} retries are counted": (
            figures.repeats <= figures.retries + figures.sent_away
        ),
    }
    return [sentence for sentence, holds in claims.items() if not holds]


def _obtainable(numbers: Iterable[int]) -> Iterable[int]:
    hopeless = {name for name, each in MISBEHAVIOUR.items() if each.for_ever}
    return (number for number in numbers if kind_of(number) not in hopeless)
