"""The table that the demo's figures are computed from."""

from collections import Counter

import pytest

from support.service import MISBEHAVIOUR, WELL_BEHAVED, expected, item_of, kind_of


@pytest.mark.parametrize("start", [0, 1, 123_456])
def test_any_ten_thousand_consecutive_items_show_exactly_the_promised_shares(start):
    kinds = Counter(kind_of(number) for number in range(start, start + 10_000))

    assert kinds.pop(WELL_BEHAVED) == 10_000 - sum(each.share for each in MISBEHAVIOUR.values())
    assert kinds == {name: each.share for name, each in MISBEHAVIOUR.items()}


@pytest.mark.parametrize("count", [0, 1, 777, 10_000])
def test_the_expected_figures_account_for_every_item(count):
    figures = expected(range(1, count + 1))

    assert figures.ok + sum(figures.failed.values()) == count
    assert figures.recovered <= figures.ok


def test_the_failures_of_ten_thousand_items_fall_into_groups_of_different_sizes():
    figures = expected(range(1, 10_001))

    assert figures.ok == 9_829
    assert figures.recovered == 388
    assert sorted(figures.failed.values(), reverse=True) == [98, 35, 22, 16]


def test_misbehaviour_is_spread_over_the_items_instead_of_coming_in_a_block():
    numbers = [number for number in range(1, 10_001) if kind_of(number) == "503 for ever"]
    first, last = numbers[0], numbers[-1]

    assert first < 500
    assert last > 9_500
    assert item_of("503 for ever", nth=1) == first
