"""The rate that a display shows is that of now."""

from __future__ import annotations

import pytest

from unlost.cli._pace import FEWEST, WINDOW, Pace


def _pace_after(seconds: float, each_second: float, step: float = 0.25) -> Pace:
    pace = Pace(0.0, 0)
    for tick in range(1, int(seconds / step) + 1):
        pace.note(tick * step, int(tick * step * each_second))
    return pace


def test_before_the_window_is_full_it_is_the_rate_since_the_beginning() -> None:
    assert _pace_after(4, 25).recent(4) == (100, 4)


def test_after_that_it_is_the_rate_of_the_window() -> None:
    pace = _pace_after(100, 50)
    for tick in range(1, 41):
        pace.note(100 + tick * 0.25, 5000 + tick)

    assert pace.recent(110) == (40, WINDOW)


def test_where_little_ends_it_looks_back_for_ten_items() -> None:
    pace = Pace(0.0, 0)
    for minute in range(1, 101):
        pace.note(60.0 * minute, minute)

    assert pace.recent(6000.0) == (FEWEST, 600.0)


def test_what_ended_before_a_standstill_counts_less_the_longer_it_lasts() -> None:
    pace = _pace_after(20, 100)
    pace.note(80, 2000)

    count, seconds = pace.recent(80)

    assert count == FEWEST
    assert seconds == pytest.approx(60, abs=0.5)


def test_without_any_item_there_is_no_rate_and_no_end_in_sight() -> None:
    pace = Pace(0.0, 7)
    pace.note(5, 7)

    assert pace.recent(5) == (0, 5)
    assert pace.left(5, 100) is None


def test_the_time_left_is_by_the_rate_of_now() -> None:
    assert _pace_after(100, 50).left(100, 500) == pytest.approx(10)


def test_what_it_remembers_does_not_grow() -> None:
    pace = _pace_after(10_000, 7)

    assert len(pace._counts) < 60
