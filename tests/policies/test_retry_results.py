"""Trying again after values that are not wanted."""

import asyncio
import pickle
from types import SimpleNamespace

import pytest

from unlost._core import AttemptFailed, Failure, Value, constant, listen, receipt
from unlost.errors import Kind, TransientError, UnwantedResult, UsageError, attempts, classify, retry_after, status_of
from unlost.policies import Retry


def returning(*steps):
    """An operation that goes through its steps: an exception is raised, anything else returned."""
    left = list(steps)

    async def operation() -> object:
        step = left.pop(0)
        if isinstance(step, BaseException):
            raise step
        return step

    return operation


def is_negative(value: int) -> bool:
    return value < 0


until_positive = Retry(3, backoff=constant(1), on_result=is_negative)


async def test_a_value_that_is_not_wanted_is_tried_again() -> None:
    assert await until_positive.call(returning(-1, -2, 3)) == 3
    assert asyncio.get_running_loop().time() == 2


async def test_the_outcome_has_the_values_that_were_not_wanted() -> None:
    outcome = await until_positive.outcome(returning(-1, TransientError("t"), 3))

    assert isinstance(outcome, Value)
    assert outcome.attempts == 3
    assert [type(error) for error in outcome.survived] == [UnwantedResult, TransientError]
    assert outcome.survived[0].value == -1


@pytest.mark.parametrize("method", ["call", "outcome"])
async def test_the_last_one_is_raised_by_its_value_with_the_earlier_ones_attached(method: str) -> None:
    first = TransientError("first")
    act = getattr(until_positive, method)(returning(first, -2, -3))

    with pytest.raises(UnwantedResult, match="operation returned -3, which on_result does not want") as caught:
        (await act).unwrap() if method == "outcome" else await act

    assert caught.value.value == -3
    earlier = attempts(caught.value)
    assert earlier[0] is first
    assert earlier[1].value == -2
    assert caught.value.__context__ is None


async def test_what_a_value_survived_goes_into_the_receipt() -> None:
    with receipt() as survived:
        await until_positive.call(returning(-1, 2))

    assert [error.value for error in survived.errors] == [-1]


async def test_listeners_are_told() -> None:
    events = []
    with listen(events.append):
        await until_positive.call(returning(-1, 2))

    assert isinstance(events[0], AttemptFailed)
    assert events[0].error.value == -1


async def test_on_is_not_asked_about_values_and_on_result_not_about_errors() -> None:
    outcome = await Retry(on=(), on_result=is_negative, backoff=constant(0)).outcome(returning(-1, KeyError(), 1))

    assert isinstance(outcome, Failure)
    assert isinstance(outcome.error, KeyError)
    assert outcome.attempts == 2


async def test_a_predicate_that_raises_is_the_failure_and_the_value_goes_with_it() -> None:
    outcome = await until_positive.outcome(returning(-1, "text"))

    assert isinstance(outcome.error, TypeError)
    assert [error.value for error in outcome.survived] == [-1, "text"]
    assert attempts(outcome.error) == outcome.survived


async def test_a_predicate_that_raises_out_of_a_call_has_the_value_attached() -> None:
    with pytest.raises(TypeError) as caught:
        await until_positive.call(returning("text"))

    assert [error.value for error in attempts(caught.value)] == ["text"]


async def test_a_response_that_is_not_wanted_says_when_to_come_back() -> None:
    response = SimpleNamespace(status_code=429, headers={"Retry-After": "7"})
    outcome = await Retry(2, backoff=constant(1), on_result=lambda answer: answer.status_code == 429).outcome(
        returning(response, response)
    )

    assert asyncio.get_running_loop().time() == 8
    assert (status_of(outcome.error), retry_after(outcome.error)) == (429, 7)
    assert classify(outcome.error) is Kind.TRANSIENT


def test_a_value_whose_repr_is_long_or_broken_is_named_all_the_same() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError

    async def act(value: object) -> str:
        return str((await Retry(1, on_result=lambda _value: True).outcome(returning(value))).error)

    assert asyncio.run(act("x" * 1000)).endswith("... (1002 characters), which on_result does not want")
    assert asyncio.run(act(Broken())).endswith("Broken (its __repr__ raised ValueError), which on_result does not want")


def test_a_pickle_of_it_leaves_the_value_here() -> None:
    loaded = pickle.loads(pickle.dumps(UnwantedResult("unwanted result: 5", lambda: 5)))

    assert str(loaded) == "unwanted result: 5"
    assert loaded.value is None


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(UsageError, match="Write Retry\\(on_result="):
        Retry(on_result=5)
