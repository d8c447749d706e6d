"""A retry as a layer: what it costs, how it reads, where it cannot work."""

import math

import pytest

from unlost._core import constant
from unlost._core._backoff import decorrelated_jitter, linear
from unlost.errors import Kind, PermanentError, TransientError, UsageError
from unlost.policies import Retry, retry
from unlost.policies._cost import Cost
from unlost.policies._layer import Layer

ONE_CALL = Cost(3, 1)


def test_a_retry_is_a_layer_that_keeps_no_state() -> None:
    assert isinstance(Retry(), Layer)
    assert not Retry().keeps_state


@pytest.mark.parametrize(
    ("policy", "cost"),
    [
        (Retry(1), Cost(3, 1)),
        (Retry(3, backoff=constant(10)), Cost(29, 3)),
        (Retry(4, base=1, cap=3), Cost(12 + 1 + 2 + 3, 4)),
        (Retry(4, base=1, cap=3, jitter=False), Cost(12 + 1 + 2 + 3, 4)),
        (Retry(3, backoff=decorrelated_jitter(1, 5)), Cost(9 + 3 + 5, 3)),
        (Retry(3, backoff=lambda attempt: attempt), Cost(9 + 1 + 2, 3)),
        (Retry(100, total=20, backoff=constant(1)), Cost(23, 100)),
        (Retry(2001, backoff=constant(1)), Cost(2001 * 3 + 2000, 2001)),
    ],
    ids=lambda value: str(value)[:60],
)
def test_it_costs_all_attempts_and_the_longest_waits_between_them(policy: Retry, cost: Cost) -> None:
    assert policy.cost(ONE_CALL) == cost


def test_without_a_bound_inside_it_has_none_either() -> None:
    assert Retry(total=10).cost(Cost(math.inf, 2)) == Cost(math.inf, 6)


@pytest.mark.parametrize(
    ("policy", "phrase"),
    [
        (Retry(1), "try once"),
        (Retry(2, backoff=constant(0)), "try up to twice"),
        (Retry(5), "try up to 5 times (waiting up to 0.8 s between)"),
        (Retry(5, total=60, backoff=linear(2)), "try up to 5 times within 60 s (waiting up to 8 s between)"),
    ],
    ids=str,
)
def test_it_reads_as_a_part_of_a_sentence(policy: Retry, phrase: str) -> None:
    assert policy.phrase() == phrase


def test_it_knows_after_what_it_tries_again_and_how_soon() -> None:
    assert Retry().tries_again(TransientError())
    assert not Retry().tries_again(PermanentError())
    assert not Retry(1).tries_again(TransientError())
    assert Retry(jitter=False, base=2).pause() == 2
    assert Retry(base=2).pause() == 0
    assert Retry(1, jitter=False, base=2).pause() == 0


def test_waits_that_cannot_fit_the_total_are_refused_with_what_to_write() -> None:
    assert Retry(total=5, backoff=constant(10)).refusal(()) == (
        "Retry(total=5) never tries again: its first wait is 10 s. Write total=20, or a backoff with shorter waits."
    )
    assert Retry(total=10, backoff=constant(10)).refusal(()) == ""
    assert Retry(total=0.01, base=10).refusal(()) == ""


@pytest.mark.parametrize("made", [retry(5), retry(attempts=5)])
def test_the_number_of_attempts_can_be_given_without_its_name(made: Retry) -> None:
    assert made == Retry(5)


def test_the_number_comes_with_other_options() -> None:
    assert retry(5, total=60, on=KeyError) == Retry(5, total=60, on=KeyError)


@pytest.mark.parametrize("wrong", [0, -1, True])
def test_a_number_that_cannot_be_is_refused(wrong: int) -> None:
    with pytest.raises(UsageError, match="Write Retry"):
        retry(wrong)


async def test_a_decorated_function_is_tried_as_often_as_it_says() -> None:
    starts = []

    @retry(4, backoff=constant(0))
    async def fetch() -> None:
        starts.append(1)
        raise TransientError

    with pytest.raises(TransientError):
        await fetch()

    assert len(starts) == 4


NESTED = ExceptionGroup("outer", [ConnectionError(), ExceptionGroup("inner", [TimeoutError()])])
MIXED = ExceptionGroup("outer", [ConnectionError(), ExceptionGroup("inner", [KeyError()])])


@pytest.mark.parametrize(
    ("on", "error", "is_wanted"),
    [
        (OSError, NESTED, True),
        (OSError, MIXED, False),
        (ConnectionError, NESTED, False),
        ((ConnectionError, TimeoutError), NESTED, True),
        ((ConnectionError, KeyError), MIXED, True),
        ((Kind.TRANSIENT, KeyError), MIXED, True),
        (None, NESTED, True),
        (None, MIXED, False),
        (ExceptionGroup, MIXED, True),
        (lambda error: isinstance(error, OSError), NESTED, True),
        (lambda error: isinstance(error, OSError), MIXED, False),
        (lambda error: isinstance(error, ExceptionGroup) and len(error.exceptions) == 2, MIXED, True),
    ],
)
def test_a_group_is_tried_again_if_it_is_named_or_each_error_in_it_is(on, error: Exception, is_wanted: bool) -> None:
    assert Retry(on=on).tries_again(error) is is_wanted
