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


@pytest.fixture(autouse=True)
def nothing_counted():
    take_unheard()
    yield
    take_unheard()


def test_forgiving_an_outcome_is_counted_once_and_told():
    error, events = OSError("metrics"), []
    before = forgiven().get("best effort", 0)

    with listen(events.append):
        forgive(Failure(error), "best effort")
        forgive(Failure(error), "best effort")

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


async def test_an_error_that_was_forgiven_inside_is_not_raised_by_the_group():
    error = OSError()
    (outcome,) = await settle(failing(error))
    forgive(outcome, "known")

    async with TaskGroup(collect()) as group:
        group.start_soon(failing, error)

    assert group.result[0].error is error
