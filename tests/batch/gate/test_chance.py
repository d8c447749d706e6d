"""Whether calls are refused because they come too fast, or by chance."""

import pytest

from unlost.batch.gate._chance import Chance, Ending, is_by_chance, is_cheap, is_still_chance
from unlost.batch.gate._pace import Cycle, Pace

PACE = Pace(180, 200, 15)


def ended(pace: float, answers: int, *, refusals: int = 1, rest: float = 1.0, is_below: bool = True) -> Ending:
    return Ending(pace, is_below, Cycle(answers, answers / pace + rest, rest, 0.1, refusals=refusals))


def test_as_many_answers_at_each_lower_pace_are_chance() -> None:
    assert is_by_chance([ended(200, 140), ended(175, 80), ended(155, 170)])


def test_a_pace_that_hardly_fell_tells_nothing() -> None:
    assert not is_by_chance([ended(200, 140), ended(190, 80), ended(180, 170)])


def test_more_answers_at_a_lower_pace_are_a_limits() -> None:
    assert not is_by_chance([ended(250, 100), ended(220, 200), ended(190, 600)])


def test_far_fewer_answers_at_a_lower_pace_are_a_limit_that_fell() -> None:
    assert not is_by_chance([ended(250, 4000), ended(220, 80), ended(190, 60)])


def test_the_same_number_of_answers_each_time_is_a_windows() -> None:
    assert not is_by_chance([ended(250, 600), ended(220, 600), ended(190, 600)])


def test_many_refusals_at_once_are_a_limits() -> None:
    assert not is_by_chance([ended(200, 140), ended(175, 80, refusals=20), ended(155, 170)])


@pytest.mark.parametrize(
    ("cycle", "cheap"),
    [
        (Cycle(140, 1.0, 0.05, 0.1), True),
        (Cycle(140, 1.0, 0.5, 0.1), False),
        (Cycle(140, 1.0, 0.05, 0.1, refusals=10), False),
    ],
)
def test_a_refusal_is_cheap_where_few_calls_are_refused_for_a_short_time(cycle: Cycle, cheap: bool) -> None:
    assert is_cheap([cycle]) is cheap


def test_refusals_that_come_far_more_often_are_no_chance_any_more() -> None:
    rare, frequent = Cycle(120, 1.5, 1.0, 0.1), Cycle(40, 1.2, 1.0, 0.1)

    assert is_still_chance([rare] * 6, normal=150)
    assert not is_still_chance([frequent] * 6, normal=150)
    assert is_still_chance([frequent] * 5, normal=150)  # five in a row can be bad luck


def test_where_it_is_chance_the_pace_goes_back_to_the_highest_and_searches() -> None:
    chance = Chance()

    assert chance.after(PACE, ended(200, 140)) is None
    assert chance.after(PACE, ended(175, 80)) is None
    assert chance.after(PACE, ended(155, 170)) == Pace(200, None, 5.0)
    assert chance.normal == pytest.approx(130, abs=1)


def test_refusals_by_chance_leave_the_pace_as_it_is() -> None:
    chance = chance_with_normal()

    assert chance.after(PACE, ended(200, 140)) is PACE


def test_many_refusals_end_the_trust() -> None:
    chance = chance_with_normal()

    assert chance.after(PACE, ended(200, 140, refusals=30)) is None
    assert chance.normal is None


def test_a_cheap_refusal_below_the_limit_does_not_lower_the_pace() -> None:
    assert Chance().after(PACE, ended(185, 140, rest=0.02)) is PACE


def test_a_cheap_refusal_at_the_limit_does() -> None:
    assert Chance().after(PACE, ended(200, 140, rest=0.02, is_below=False)) is None


def test_two_refusals_in_a_row_at_the_limit_end_the_suspicion() -> None:
    chance = Chance()

    for ending in (ended(200, 140), ended(175, 80), ended(190, 150, is_below=False), ended(188, 90, is_below=False)):
        chance.after(PACE, ending)

    assert chance.after(PACE, ended(155, 170)) is None


def test_a_rest_in_vain_belongs_to_the_cycle_before_it() -> None:
    chance = Chance()
    chance.after(PACE, ended(200, 140))
    chance.after(PACE, ended(155, 80))

    vain = ended(155, 81)
    chance.after(PACE, vain._replace(cycle=vain.cycle._replace(in_vain=True)))

    assert chance.normal is None  # two cycles are too few
    chance.after(PACE, ended(155, 170))
    assert chance.normal is not None


def chance_with_normal() -> Chance:
    chance = Chance()
    for ending in (ended(200, 140), ended(175, 80), ended(155, 170)):
        chance.after(PACE, ending)
    return chance
