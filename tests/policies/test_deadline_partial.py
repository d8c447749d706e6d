"""A deadline over operations that run at once hands over what had finished by then, and says what had not started."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

import unlost


async def value(result: object, after: float = 0) -> object:
    await asyncio.sleep(after)
    return result


async def in_a_group() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(value, "there")
        group.start_soon(value, "never", 1000)


async def as_they_come() -> None:
    async with unlost.as_completed(value("never", 1000), value("there")) as outcomes:
        await asyncio.sleep(1)
        assert outcomes
        await asyncio.sleep(1000)


async def each_item(after: float) -> object:
    return await value("there" if after == 0 else "never", after)


CALLS: dict[str, Callable[[], Awaitable[object]]] = {
    "gather": lambda: unlost.gather(value("there"), value("never", 1000)),
    "settle": lambda: unlost.settle(value("there"), value("never", 1000)),
    "race": lambda: unlost.race(value("never", 1000), value("neither", 2000)),
    "as_completed": as_they_come,
    "map": lambda: unlost.map(each_item, [0, 1000], limit=2),
    "TaskGroup": in_a_group,
}


@pytest.mark.parametrize("name", CALLS)
async def test_what_had_finished_travels_with_the_deadline(name: str) -> None:
    with pytest.raises(unlost.DeadlineExceeded) as caught:
        async with unlost.timeout(5, "page"):
            await CALLS[name]()

    outcomes = unlost.partial(caught.value)
    assert outcomes is not None
    there = [outcome.value for outcome in outcomes if isinstance(outcome, unlost.Value)]
    assert there == ([] if name == "race" else ["there"])
    stopped = [outcome for outcome in outcomes if isinstance(outcome, unlost.Cancelled)]
    assert len(stopped) == len(outcomes) - len(there)
    assert all(outcome.reason.endswith("was cancelled: page of 5 s exceeded") for outcome in stopped)


async def test_a_stopped_child_is_told_which_deadline_it_was() -> None:
    reasons = []

    async def child() -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError as cancellation:
            reasons.append(unlost.cancel_reason(cancellation))
            raise

    with pytest.raises(unlost.DeadlineExceeded):
        async with unlost.timeout(5, "page"):
            await unlost.gather(child())

    assert reasons == ["the caller was cancelled: page of 5 s exceeded"]
    assert reasons[0].who == "unlost.gather"
