import asyncio

import pytest

from support.ledger import Ledger, State, reachable
from unlost._core._events import AttemptFailed, emit
from unlost._core._forgive import forgive
from unlost._core._outcome import Cancelled, Failure, Value
from unlost._core._outcomes import Outcomes, attach
from unlost._core._receipt import survive
from unlost._core._report import report
from unlost.errors import attach_attempts, attach_errors


@pytest.fixture
def ledger():
    return Ledger()


def raised(ledger, label="child"):
    error = ledger.raising(label, ValueError(label))
    try:
        raise error
    except ValueError:
        return error


def test_what_nobody_was_told_of_is_lost_and_the_text_says_whose_and_where(ledger):
    raised(ledger)

    with pytest.raises(AssertionError) as caught:
        ledger.check({"child": State.ATTACHED})
    assert "child: ValueError('child') raised at test_ledger.py:" in str(caught.value)
    assert " in raised: lost, expected attached" in str(caught.value)


def test_lost_is_wrong_even_where_it_is_expected(ledger):
    raised(ledger)

    with pytest.raises(AssertionError, match="lost"):
        ledger.check({"child": State.LOST})


def test_asyncios_gather_loses_the_second_error_and_it_is_found(ledger):
    async def child(label):
        raise ledger.raising(label, ValueError(label))

    with asyncio.Runner() as runner, pytest.raises(ValueError) as caught:  # noqa: PT011  # its label is checked below
        runner.run(gathered(child))
    ledger.give(caught.value)

    assert ledger.outcome() == {"first": State.DELIVERED, "second": State.LOST}


async def gathered(child):
    return await asyncio.gather(child("first"), child("second"))


def test_an_operation_that_raised_and_was_not_expected_to_is_told(ledger):
    ledger.give(raised(ledger))

    with pytest.raises(AssertionError, match="delivered, expected nothing"):
        ledger.check({})


def test_an_operation_that_was_expected_to_raise_and_did_not_is_told(ledger):
    with pytest.raises(AssertionError, match="child: raised nothing"):
        ledger.check({"child": State.DELIVERED})


def test_a_raised_error_is_delivered(ledger):
    ledger.give(raised(ledger))

    ledger.check({"child": State.DELIVERED})


@pytest.mark.parametrize("wrap", [Failure, lambda error: [Failure(error)], lambda error: (Value(1), Failure(error))])
def test_an_outcome_delivers_its_error(ledger, wrap):
    ledger.give(wrap(raised(ledger)))

    ledger.check({"child": State.DELIVERED})


def test_a_cancelled_outcome_delivers_its_cancellation(ledger):
    ledger.give(Cancelled(ledger.raising("child", asyncio.CancelledError())))

    ledger.check({"child": State.DELIVERED})


def test_what_a_value_survived_is_attached(ledger):
    ledger.give(Value(1, survived=(raised(ledger),)))

    ledger.check({"child": State.ATTACHED})


def in_group(carrier, error):
    return ExceptionGroup("outer", [carrier, ExceptionGroup("inner", [error])])


def as_cause(carrier, error):
    carrier.__cause__ = error
    return carrier


def as_context(carrier, error):
    carrier.__context__ = error
    return carrier


def as_attached(carrier, error):
    attach_errors(carrier, (error,))
    return carrier


def as_attempt(carrier, error):
    attach_attempts(carrier, (error,))
    return carrier


def as_partial(carrier, error):
    attach(carrier, Outcomes([Failure(error)]))
    return carrier


def as_survived_of_partial(carrier, error):
    attach(carrier, Outcomes([Value(1, survived=(error,))]))
    return carrier


CARRIERS = [in_group, as_cause, as_context, as_attached, as_attempt, as_partial, as_survived_of_partial]


@pytest.mark.parametrize("carry", CARRIERS)
def test_what_hangs_on_something_delivered_is_attached(ledger, carry):
    ledger.give(carry(KeyError(), raised(ledger)))

    ledger.check({"child": State.ATTACHED})


@pytest.mark.parametrize("carry", CARRIERS)
def test_what_hangs_on_something_reported_is_reported(ledger, carry):
    with ledger.listening():
        report(carry(KeyError(), raised(ledger)), "broken")

    ledger.check({"child": State.REPORTED})


def test_an_error_in_the_receipt_is_attached_and_the_event_reports_it(ledger):
    with ledger.listening():
        survive("call", (raised(ledger),))

    assert ledger.states("child") == {State.ATTACHED, State.REPORTED}
    ledger.check({"child": State.ATTACHED})


def test_an_attempt_that_a_listener_heard_of_is_reported(ledger):
    with ledger.listening():
        emit(AttemptFailed(raised(ledger), 1, 0.0, "call"))

    ledger.check({"child": State.REPORTED})


def test_a_forgiven_error_is_forgiven(ledger):
    with ledger.listening():
        forgive(Failure(raised(ledger)), "not wanted")

    ledger.check({"child": State.FORGIVEN})


def test_the_strongest_state_wins(ledger):
    with ledger.listening():
        error = raised(ledger)
        forgive(Failure(error), "not wanted")
        report(error, "broken")
        ledger.give(error)

    assert ledger.states("child") == {State.DELIVERED, State.REPORTED, State.FORGIVEN}
    ledger.check({"child": State.DELIVERED})


def test_of_two_errors_of_one_operation_the_lost_one_counts(ledger):
    ledger.give(raised(ledger))
    raised(ledger)

    assert ledger.outcome() == {"child": State.LOST}


def test_several_states_may_do(ledger):
    ledger.give(raised(ledger))

    ledger.check({"child": (State.DELIVERED, State.ATTACHED)})


def test_an_error_that_two_operations_raise_counts_for_both(ledger):
    error = raised(ledger, "first")
    ledger.raising("second", error)
    ledger.give(error)

    ledger.check({"first": State.DELIVERED, "second": State.DELIVERED})


def test_a_cycle_of_causes_comes_to_an_end():
    error = ValueError()
    error.__cause__ = error

    assert list(reachable(error)) == [error]
