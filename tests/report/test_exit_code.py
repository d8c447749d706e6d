"""The exit codes, each of the reasons for each of them, and which wins."""

from __future__ import annotations

import itertools

import pytest

from support.views import books_of
from unlost.batch import How
from unlost.report import EXIT_CODES, exit_code

HOW: dict[How | None, int] = {None: 0, "complete": 0, "halted": 3, "stopped": 4, "cancelled": 4}
BUCKETS = {"ok": 0, "failed": 1, "in_doubt": 1, "pending": 1, "withdrawn": 0}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("unbalanced", [False, True])
def test_the_highest_code_that_applies_wins(how: How | None, unbalanced: bool) -> None:
    for counts in itertools.product((0, 1), repeat=len(BUCKETS)):
        filled = dict(zip(BUCKETS, counts, strict=True))
        books = books_of(**filled, inputs=sum(counts) + unbalanced)

        reasons = [BUCKETS[bucket] for bucket, count in filled.items() if count]

        assert exit_code(books, how) == max([HOW[how], 5 if unbalanced else 0, *reasons]), filled


def test_a_record_of_the_source_that_is_no_item_does_not_balance() -> None:
    assert exit_code(books_of(ok=3, read=4, seen=3), "complete") == 5
    assert exit_code(books_of(ok=3, read=3, seen=3), "complete") == 0


def test_every_code_is_documented() -> None:
    assert sorted(EXIT_CODES) == [0, 1, 2, 3, 4, 5]
