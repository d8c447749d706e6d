"""How many further attempts all calls together may make."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost._core import constant, listen
from unlost.errors import TransientError, UsageError
from unlost.policies import Retry
from unlost.policies._budget import RetryBudget
from unlost.policies._retry_events import GaveUp


async def down() -> None:
    raise TransientError("down")


def test_a_new_budget_is_full_and_then_used_up() -> None:
    budget = RetryBudget(0, minimum_per_second=0, burst=3)

    assert [budget.withdraw(now=0) for _ in range(5)] == [True, True, True, False, False]
    assert budget.left == 0


def test_ten_calls_pay_for_one_further_attempt() -> None:
    budget = RetryBudget(0.1, minimum_per_second=0, burst=1)
    budget.withdraw(now=0)

    for _ in range(9):
        budget.deposit()
    too_early = budget.withdraw(now=0)
    budget.deposit()

    assert not too_early
    assert budget.withdraw(now=0)


def test_time_pays_too_up_to_the_burst() -> None:
    budget = RetryBudget(0, minimum_per_second=2, burst=5)
    for _ in range(5):
        budget.withdraw(now=10)

    assert [budget.withdraw(now=10.5), budget.withdraw(now=10.5)] == [True, False]
    assert [budget.withdraw(now=1000) for _ in range(6)] == [True] * 5 + [False]


def test_a_clock_that_goes_backwards_pays_nothing() -> None:
    budget = RetryBudget(0, minimum_per_second=1, burst=1)
    budget.withdraw(now=100)

    assert not budget.withdraw(now=0)
    assert not budget.withdraw(now=100.5)


steps = st.lists(st.one_of(st.just("call"), st.just("again"), st.floats(0, 5)), max_size=300)


@given(st.floats(0, 2), st.floats(0, 3), st.floats(1, 20), steps)
def test_in_no_stretch_of_time_more_is_spent_than_burst_and_seconds_and_calls_pay_for(
    ratio: float, minimum: float, burst: float, steps
) -> None:
    budget = RetryBudget(ratio, minimum_per_second=minimum, burst=burst)
    now, calls, spent = 0.0, 0, 0
    seen = [(now, calls, spent)]
    for step in steps:
        if step == "call":
            budget.deposit()
            calls += 1
        elif step == "again":
            spent += budget.withdraw(now)
        else:
            now += step
        seen.append((now, calls, spent))

    for began, calls_before, spent_before in seen:
        paid = burst + minimum * (now - began) + ratio * (calls - calls_before)
        assert spent - spent_before <= paid + 1e-6
    assert 0 <= budget.left <= burst


async def test_a_thousand_callers_of_a_server_that_is_down_try_again_a_tenth_as_often() -> None:
    budget = RetryBudget(0.1, minimum_per_second=0, burst=10)
    retry = Retry(5, backoff=constant(1), budget=budget)
    other = Retry(9, backoff=constant(1), budget=budget)
    calls = 0

    async def counted() -> None:
        nonlocal calls
        calls += 1
        raise TransientError("down")

    outcomes = [await policy.outcome(counted) for _ in range(500) for policy in (retry, other)]

    assert 1000 + 100 <= calls <= 1000 + 110
    assert sum(outcome.attempts for outcome in outcomes) == calls


async def test_where_it_is_used_up_the_retry_gives_up_at_once_and_a_note_says_so() -> None:
    budget = RetryBudget(0, minimum_per_second=0, burst=1)
    events = []
    with listen(events.append):
        outcome = await Retry(9, backoff=constant(7), budget=budget).outcome(down)

    assert outcome.attempts == 2
    assert asyncio.get_running_loop().time() == 7
    assert outcome.error.__notes__[0].startswith("not tried again: the budget is used up, RetryBudget(ratio=0, ")
    assert events[-1] == GaveUp(outcome.error, 2, "budget", down.__qualname__)


async def test_it_refills_by_the_clock_of_the_loop() -> None:
    budget = RetryBudget(0, minimum_per_second=1, burst=1)
    retry = Retry(2, backoff=constant(0), budget=budget)

    first = [(await retry.outcome(down)).attempts for _ in range(2)]
    await asyncio.sleep(1)

    assert first == [2, 1]
    assert (await retry.outcome(down)).attempts == 2


async def test_what_would_not_be_tried_again_anyway_costs_nothing() -> None:
    budget = RetryBudget(0, minimum_per_second=0, burst=1)

    async def broken() -> None:
        raise KeyError

    await Retry(9, budget=budget).outcome(broken)
    await Retry(1, budget=budget).outcome(down)
    await Retry(9, total=1, backoff=constant(5), budget=budget).outcome(down)

    assert budget.left == 1


def test_threads_together_spend_no_more_than_there_is() -> None:
    budget = RetryBudget(0, minimum_per_second=0, burst=1000)
    spent = []

    def spend() -> None:
        spent.append(sum(budget.withdraw(now=0) for _ in range(500)))

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(spent) == 1000


@pytest.mark.parametrize(
    "wrong",
    [{"ratio": -1}, {"ratio": "a"}, {"minimum_per_second": -1}, {"burst": 0}, {"burst": float("nan")}],
    ids=repr,
)
def test_a_budget_that_cannot_be_is_refused_with_what_to_write(wrong) -> None:
    with pytest.raises(UsageError, match="Write RetryBudget"):
        RetryBudget(**wrong)


def test_what_is_no_budget_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Retry\(budget=0.1\): expected a RetryBudget"):
        Retry(budget=0.1)
