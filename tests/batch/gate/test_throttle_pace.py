"""How fast calls start after refusals: pure functions."""

import math

import pytest

from unlost.batch.gate._pace import Cycle, Pace, first, following


def test_after_a_first_refusal_what_was_borne_doubles() -> None:
    pace = first(Cycle(answers=55, seconds=1.1, rest=1.0, delay=0.1))

    assert pace.after(0) == pytest.approx(50)
    assert pace.after(0.5) == pytest.approx(100)
    assert pace.after(2) == pytest.approx(800)


def test_a_search_of_a_slow_pace_doubles_with_calls_and_not_with_seconds() -> None:
    pace = first(Cycle(answers=3, seconds=60, rest=59.5, delay=0.5))

    assert pace.after(0) == pytest.approx(0.05)
    assert pace.after(80) == pytest.approx(0.1)


def test_a_long_time_without_a_refusal_tells_the_limit() -> None:
    pace = first(Cycle(answers=6000, seconds=60, rest=1, delay=0.1))

    assert pace.limit == 100
    assert pace.after(0) == pytest.approx(90)


def test_rests_in_vain_tell_the_limit() -> None:
    pace = first(Cycle(answers=3000, seconds=60, rest=32, delay=0.1, in_vain=True))

    assert pace.limit == 50


def test_a_refusal_just_above_the_limit_moves_it_a_little() -> None:
    pace = following(Pace(90, 100, 15), 102, Cycle(answers=1900, seconds=20, rest=1, delay=0.1))

    assert pace.limit == pytest.approx(0.98 * 102)
    assert pace.after(0) == pytest.approx(0.9 * 0.98 * 102)
    assert pace.after(pace.seconds) == pytest.approx(pace.limit)


def test_a_search_that_ends_begins_between_what_was_borne_and_what_was_refused() -> None:
    pace = following(Pace(50, None, 0.5), 400, Cycle(answers=400, seconds=4, rest=1, delay=0.1))

    assert pace.after(0) == pytest.approx(0.9 * math.sqrt(100 * 400))
    assert pace.limit is not None
    assert 200 < pace.limit < 392


def test_where_too_little_was_answered_to_tell_the_pace_is_halved() -> None:
    pace = following(Pace(90, 100, 15), 80, Cycle(answers=0, seconds=1, rest=1, delay=0.1))

    assert pace.after(0) == pytest.approx(0.9 * 40)


def test_the_curve_is_flat_at_the_limit_and_steep_far_from_it() -> None:
    pace = Pace(90, 100, 10)

    assert pace.after(1) - pace.after(0) > 2
    assert pace.after(10.5) - pace.after(9.5) < 0.01
    assert pace.after(50) > 2 * pace.after(10)


@pytest.mark.parametrize("pace", [Pace(90, 100, 10), Pace(1e-9, None, 0.5), Pace(100, 100, 10)])
def test_no_time_is_too_long_for_it(pace: Pace) -> None:
    assert 0 < pace.after(1e9) < math.inf
