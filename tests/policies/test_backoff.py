"""From the number of the failed attempt to seconds."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost._core._backoff import bounds, constant, decorrelated_jitter, exponential, full_jitter, linear
from unlost.errors import UsageError

seconds = st.floats(0, 1e6)
attempts = st.integers(1, 10_000)
SCHEDULES = {"constant": lambda a, _b: constant(a), "linear": linear, "exponential": exponential}


@given(seconds, seconds, attempts, st.sampled_from(sorted(SCHEDULES)))
def test_a_schedule_is_a_pure_function_and_its_own_bounds(base: float, cap: float, attempt: int, name: str) -> None:
    schedule = SCHEDULES[name](base, cap)

    wait = schedule(attempt)

    assert wait == schedule(attempt)
    assert bounds(schedule, attempt) == (wait, wait)
    assert 0 <= wait < math.inf


@given(seconds, seconds, st.sampled_from([linear, exponential]))
def test_waits_grow_up_to_the_cap_and_never_beyond(base: float, cap: float, make) -> None:
    schedule = make(base, cap)

    waits = [schedule(attempt) for attempt in range(1, 60)]

    assert waits == sorted(waits)
    assert max(waits) <= cap
    assert waits[0] == min(cap, base)


def test_linear_waits_are_multiples_of_the_step() -> None:
    assert [linear(2, cap=7)(attempt) for attempt in range(1, 6)] == [2, 4, 6, 7, 7]


@given(seconds, seconds, attempts, st.floats(0, 1))
def test_full_jitter_stays_between_nothing_and_the_schedule(
    base: float, cap: float, attempt: int, drawn: float
) -> None:
    schedule = exponential(base, cap)
    jittered = full_jitter(schedule, lambda low, high: low + drawn * (high - low))

    assert bounds(jittered, attempt) == (0, schedule(attempt))
    assert jittered(attempt) == pytest.approx(drawn * schedule(attempt))


@given(seconds, seconds, st.integers(1, 700), st.integers())
def test_decorrelated_jitter_stays_within_its_bounds(base: float, cap: float, attempt: int, seed: int) -> None:
    schedule = decorrelated_jitter(base, cap, random.Random(seed).uniform)

    shortest, longest = bounds(schedule, attempt)

    assert min(base, cap) == shortest <= schedule(attempt) <= longest <= cap


@given(st.integers(), st.integers(1, 50))
def test_decorrelated_jitter_is_a_pure_function_of_the_attempt_and_the_draws(seed: int, attempt: int) -> None:
    first = decorrelated_jitter(0.1, 60, random.Random(seed).uniform)
    second = decorrelated_jitter(0.1, 60, random.Random(seed).uniform)

    assert first(attempt) == second(attempt)


def test_each_wait_of_decorrelated_jitter_is_distributed_as_in_the_recurrence() -> None:
    draws = random.Random(1)
    schedule = decorrelated_jitter(1, 20, draws.uniform)

    def by_recurrence(attempt: int) -> float:
        wait = 1.0
        for _ in range(attempt):
            wait = min(20, draws.uniform(1, wait * 3))
        return wait

    for attempt in (1, 2, 4, 8):
        ours = sum(schedule(attempt) for _ in range(4000)) / 4000
        brookers = sum(by_recurrence(attempt) for _ in range(4000)) / 4000
        assert ours == pytest.approx(brookers, rel=0.1), f"attempt {attempt}"


def test_the_largest_draws_triple_the_wait() -> None:
    schedule = decorrelated_jitter(1, 50, lambda _low, high: high)

    assert [schedule(attempt) for attempt in range(1, 6)] == [3, 9, 27, 50, 50]


@pytest.mark.parametrize("attempt", [1, 10, 10_000_000])
@pytest.mark.parametrize("schedule", [exponential(), full_jitter(exponential()), decorrelated_jitter(), linear()])
def test_no_number_of_attempts_is_too_large(schedule, attempt: int) -> None:
    assert 0 <= schedule(attempt) <= bounds(schedule, attempt)[1] <= 30


def test_of_a_users_own_function_its_answer_is_taken_for_the_longest_wait() -> None:
    assert bounds(lambda attempt: attempt * 2.0, 3) == (0, 6)
    assert bounds(lambda _attempt: -1.0, 3) == (0, 0)


@pytest.mark.parametrize("wrong", [-1, math.nan, "1", None, True])
@pytest.mark.parametrize("make", [constant, linear, exponential, decorrelated_jitter])
def test_what_is_no_number_of_seconds_is_refused(make, wrong) -> None:
    with pytest.raises(UsageError, match="expected seconds"):
        make(wrong)


def test_its_repr_is_how_it_was_written() -> None:
    schedules = [constant(1), linear(1, 5), full_jitter(exponential()), decorrelated_jitter(1)]

    assert [repr(schedule) for schedule in schedules] == [
        "constant(1)", "linear(1, 5)", "full_jitter(exponential(0.1, 30.0))", "decorrelated_jitter(1, 30.0)",
    ]  # fmt: skip
