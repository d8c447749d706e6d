import asyncio

import pytest

from unlost._core import (
    Cancelled,
    Failure,
    Forgiven,
    TaskGroup,
    Value,
    collect,
    forgive,
    forgiven,
    listen,
    settle,
    take_unheard,
)
from unlost.errors import UsageError


async def failing(error):
    raise error


async def failing_later(error):
    await asyncio.sleep(1)
    raise error


@pytest.fixture(autouse=True)
def nothing_counted():
    take_unheard()
    yield
    take_unheard()


def test_forgiving_an_outcome_is_counted_once_and_told():
    error, events = OSError("metrics"), []
    outcome, before = Failure(error), forgiven().get("best effort", 0)

    with listen(events.append):
        forgive(outcome, "best effort")
        forgive(outcome, "best effort")

    assert forgiven()["best effort"] == before + 1
    assert events == [Forgiven(error, "best effort")]


def test_a_value_needs_no_forgiving():
    before = forgiven()

    forgive(Value(1), "whatever")

    assert forgiven() == before


def test_a_cancellation_can_be_forgiven():
    before = forgiven().get("stopped on purpose", 0)

    forgive(Cancelled(asyncio.CancelledError()), "stopped on purpose")

    assert forgiven()["stopped on purpose"] == before + 1


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_without_a_reason_nothing_is_forgiven(reason):
    with pytest.raises(UsageError, match="why this error is not wanted"):
        forgive(Failure(OSError()), reason)


def test_what_is_neither_outcome_nor_handle_is_refused():
    with pytest.raises(UsageError, match=r"forgive\(handle, reason\)"):
        forgive(OSError(), "best effort")


async def test_a_forgiven_outcome_is_not_counted_as_dropped():
    async def collects():
        async with TaskGroup(collect()) as group:
            handle = group.start_soon(failing, OSError())
        forgive(handle, "best effort")

    await collects()

    assert take_unheard() == []


async def test_the_same_error_out_of_another_operation_is_not_forgiven():
    error = OSError("one object, two operations")
    (outcome,) = await settle(failing(error))
    forgive(outcome, "known")

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            forgive(group.start_soon(failing_later, error), "known here too")
            group.start_soon(failing_later, error)

    assert caught.value.exceptions == (error,)
