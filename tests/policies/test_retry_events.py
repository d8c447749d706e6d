"""What listeners are told where a retry gives up."""

import asyncio
from types import SimpleNamespace

import pytest

from unlost._core import AttemptFailed, constant, listen
from unlost.errors import PermanentError, TransientError
from unlost.policies import Retry
from unlost.policies._retry_events import GaveUp


def hinting(seconds: int) -> Exception:
    error = TransientError()
    error.response = SimpleNamespace(headers={"Retry-After": str(seconds)})
    return error


@pytest.mark.parametrize("method", ["call", "outcome"])
@pytest.mark.parametrize(
    ("options", "error", "attempt", "why"),
    [
        ({"attempts": 3}, TransientError(), 3, "attempts"),
        ({"attempts": 1}, TransientError(), 1, "attempts"),
        ({}, PermanentError(), 1, "not wanted"),
        ({"total": 2}, TransientError(), 3, "total"),
        ({"hint_cap": 5}, hinting(6), 1, "hint"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_why_a_retry_gives_up_is_told(options, error: Exception, attempt: int, why: str, method: str) -> None:
    async def fetch() -> None:
        raise error

    policy = Retry(**{"attempts": 9, "backoff": constant(1), **options})
    events = []
    with listen(events.append):
        task = asyncio.create_task(getattr(policy, method)(fetch))
        await asyncio.wait([task])

    assert (task.exception() if method == "call" else task.result().error) is error
    assert events[-1] == GaveUp(error, attempt, why, fetch.__qualname__)
    assert [type(event) for event in events] == [AttemptFailed] * (attempt - 1) + [GaveUp]


async def test_that_the_function_made_another_error_of_a_cancellation_is_told() -> None:
    made = TransientError()

    async def fetch() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            raise made from None

    events = []
    with listen(events.append):
        task = asyncio.create_task(Retry(9).outcome(fetch))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])

    assert events == [GaveUp(made, 1, "cancelled", fetch.__qualname__)]


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit()], ids=repr)
async def test_being_told_to_stop_is_no_giving_up(stop: BaseException) -> None:
    async def fetch() -> None:
        raise stop

    events = []
    with listen(events.append), pytest.raises(type(stop)):
        await Retry().call(fetch)

    assert events == []


async def test_through_layers_and_partials_events_name_the_users_function() -> None:
    async def fetch(number: int, *, depth: int) -> None:
        raise TransientError

    events = []
    with listen(events.append), pytest.raises(TransientError):
        await (Retry(1) | Retry(1))(fetch)(1, depth=2)

    assert {event.name for event in events} == {fetch.__qualname__}
