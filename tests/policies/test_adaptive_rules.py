"""From samples to a limit."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlost.errors import UsageError
from unlost.policies._adaptive_rules import Aimd, Gradient, Sample, State


def ended(at, *, running=20, failed=False, took=1.0):
    return Sample(at - took, at, running, failed)


@st.composite
def histories(draw):
    minimum = draw(st.integers(1, 50))
    maximum = draw(st.integers(minimum, 200))
    initial = draw(st.integers(minimum, maximum))
    now, samples = 0.0, []
    for _ in range(draw(st.integers(0, 25))):
        pause, took, running = draw(st.floats(0, 10)), draw(st.floats(0, 100)), draw(st.integers(1, 300))
        failed = draw(st.sampled_from([False, False, True]))
        for _ in range(draw(st.sampled_from([1, 20, 60, 200]))):
            now += pause
            samples.append(Sample(now - took, now, running, failed))
    return initial, minimum, maximum, samples


ALGORITHMS = [
    Aimd(),
    Aimd(increase=1000, decrease=0.01, slow=1),
    Gradient(),
    Gradient(tolerance=1, decrease=0.01, measure_every=1),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
@settings(max_examples=40, deadline=None)
@given(histories())
def test_a_limit_is_never_below_the_minimum_nor_above_the_maximum(algorithm, history):
    initial, minimum, maximum, samples = history

    state = algorithm.begin(initial, minimum)
    limits = [state.limit]
    for sample in samples:
        state = algorithm.after(state, sample, minimum, maximum)
        limits.append(state.limit)

    assert all(minimum <= limit <= maximum for limit in limits)


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=repr)
@settings(max_examples=40, deadline=None)
@given(histories())
def test_failures_alone_bring_a_limit_down_to_its_minimum(algorithm, history):
    initial, minimum, maximum, samples = history
    state = algorithm.begin(initial, minimum)
    for sample in samples:
        state = algorithm.after(state, sample, minimum, maximum)

    for late in range(60):
        state = algorithm.after(state, ended(1e6 + late * 2, failed=True), minimum, maximum)

    assert state.limit == minimum


def test_a_round_of_calls_that_went_well_adds_one():
    state = State(10.0)
    for _ in range(10):
        state = Aimd().after(state, ended(1), 1, 100)

    assert state.limit == pytest.approx(11, abs=0.05)


def test_a_failure_takes_a_share_and_those_that_were_under_way_then_take_no_more():
    state = Aimd(decrease=0.5).after(State(20.0), ended(10, failed=True), 1, 100)
    assert (state.limit, state.since) == (10, 10)

    under_way = Aimd(decrease=0.5).after(state, ended(10.5, failed=True), 1, 100)
    later = Aimd(decrease=0.5).after(state, ended(11, failed=True), 1, 100)

    assert (under_way.limit, later.limit) == (10, 5)


def test_a_call_that_takes_too_long_counts_as_a_failure():
    algorithm = Aimd(decrease=0.5, slow=2)

    assert algorithm.after(State(20.0), ended(10, took=2), 1, 100).limit > 20
    assert algorithm.after(State(20.0), ended(10, took=2.1), 1, 100).limit == 10


@pytest.mark.parametrize("algorithm", [Aimd(), Gradient(measure_every=1000)], ids=repr)
def test_a_limit_that_hardly_anybody_uses_does_not_grow(algorithm):
    state = State(20.0, unloaded=1.0, rounds=500)
    for turn in range(200):
        state = algorithm.after(state, ended(turn + 1.0, running=9), 1, 100)

    assert state.limit == 20


def rounds(state, number, took, algorithm, *, now=1000.0):
    """Go through so many whole rounds of calls that take so long."""
    for _ in range(number):
        since = state.since
        while state.since == since:
            now += 1
            state = algorithm.after(state, ended(now + took, running=500, took=took), 1, 500)
        now = state.since
    return state


def test_while_calls_take_no_longer_than_tolerated_the_limit_grows_by_its_root():
    state = rounds(State(100.0, unloaded=1.0, rounds=10), 1, 1.4, Gradient(tolerance=1.5))

    assert state.limit == 110


def test_when_calls_take_longer_the_limit_shrinks_in_proportion_to_half_at_most():
    unloaded = State(100.0, unloaded=1.0, rounds=10)

    assert rounds(unloaded, 1, 2.0, Gradient()).limit == pytest.approx(75, abs=0.5)
    assert rounds(unloaded, 1, 100.0, Gradient()).limit == 50


def test_calls_of_the_round_before_do_not_count():
    state = State(100.0, since=50.0, unloaded=1.0, rounds=10)

    assert Gradient().after(state, ended(51, took=1.1), 1, 500) == state


def test_it_begins_with_a_low_limit_to_measure_and_goes_on_from_the_initial_one():
    algorithm = Gradient(measure_every=7)
    begun = algorithm.begin(50, 1)

    measured = rounds(begun, 1, 3.0, algorithm)

    assert begun.limit == 4
    assert (measured.limit, measured.unloaded, measured.rounds) == (50, pytest.approx(3), 7)
    assert algorithm.begin(50, 10).limit == 10


def test_it_measures_again_with_a_quarter_of_the_limit_and_goes_on_with_all_of_it():
    algorithm = Gradient(measure_every=7)

    measuring = rounds(State(100.0, unloaded=1.0, rounds=1), 1, 1.0, algorithm)
    measured = rounds(measuring, 1, 0.5, algorithm)

    assert (measuring.limit, measuring.rounds) == (27.5, 0)
    assert (measured.limit, measured.unloaded, measured.rounds) == (110, pytest.approx(0.5), 7)


def test_a_failure_while_it_measures_lowers_what_it_goes_on_with():
    state = Gradient(decrease=0.5).after(State(20.0, rounds=0, resume=80.0), ended(10, failed=True), 1, 500)

    assert (state.limit, state.rounds, state.resume) == (10, 0, 40)


def test_one_lucky_round_is_not_the_measure_of_all_that_follow():
    state = rounds(State(100.0, unloaded=1.0, rounds=10), 1, 0.1, Gradient())

    assert state.unloaded > 0.9


def test_at_its_minimum_what_calls_take_is_taken_for_unloaded():
    state = rounds(State(1.0, unloaded=1.0, rounds=10), 1, 10.0, Gradient())

    assert state.unloaded == 10
    assert state.limit > 1


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        *((Aimd, {"increase": wrong}) for wrong in (0, -1, True, math.inf)),
        *((Aimd, {"decrease": wrong}) for wrong in (0, 1, 1.5, "0.5", True)),
        *((Aimd, {"slow": wrong}) for wrong in (0, -1, "1")),
        *((Gradient, {"tolerance": wrong}) for wrong in (0.9, 2, True, math.nan)),
        *((Gradient, {"decrease": wrong}) for wrong in (0, 1)),
        *((Gradient, {"measure_every": wrong}) for wrong in (0, 1.5)),
    ],
    ids=repr,
)
def test_a_number_out_of_range_is_refused_with_what_to_write(make, wrong):
    with pytest.raises(UsageError, match=f"Write {make.__name__}"):
        make(**wrong)
