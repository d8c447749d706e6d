"""A policy as an argument: of ``map``, of ``stream``, of a group's ``start_soon``."""

import asyncio
import gc
import traceback
import weakref

import pytest

from unlost._core import (
    Cancelled,
    Failure,
    Handle,
    TaskGroup,
    Value,
    collect,
    constant,
    map,  # noqa: A004  # the user's word for it
    partial,
    stream,
    take_unheard,
)
from unlost.errors import PermanentError, TransientError, UsageError, attempts
from unlost.policies import Retry

AGAIN = Retry(3, backoff=constant(1))


class Flaky:
    """Item n fails n times before it works."""

    def __init__(self) -> None:
        self.failed: dict[int, int] = {}

    async def __call__(self, item: int) -> str:
        before = self.failed.get(item, 0)
        await asyncio.sleep(0)
        if before < item:
            self.failed[item] = before + 1
            raise TransientError(f"{item}:{before}")
        return f"value {item}"


async def through_map(func, items, **options):
    return await map(func, items, **options)


async def through_stream(func, items, **options):
    async with stream(func, items, **options) as outcomes:
        return [outcome async for outcome in outcomes]


async def through_ordered_stream(func, items, **options):
    return await through_stream(func, items, ordered=True, **options)


EACH = pytest.mark.parametrize("through", [through_map, through_stream, through_ordered_stream])


@EACH
@pytest.mark.parametrize("isolate", ["worker", "task"])
async def test_each_item_is_tried_again_and_its_outcome_says_so(through, isolate: str) -> None:
    outcomes = await through(Flaky(), range(5), limit=5, policy=AGAIN, isolate=isolate)
    outcomes = sorted(outcomes, key=lambda outcome: outcome.index)

    assert [outcome.index for outcome in outcomes] == [0, 1, 2, 3, 4]
    assert [outcome.attempts for outcome in outcomes] == [1, 2, 3, 3, 3]
    assert [len(outcome.survived) for outcome in outcomes] == [0, 1, 2, 2, 2]
    assert [type(outcome) for outcome in outcomes] == [Value, Value, Value, Failure, Failure]
    assert [outcome.duration for outcome in outcomes] == [0, 1, 2, 2, 2]
    assert outcomes[1].value == "value 1"
    assert attempts(outcomes[3].error) == outcomes[3].survived
    assert take_unheard() == []


@EACH
async def test_items_that_wait_for_their_next_attempt_count_as_running(through) -> None:
    await through(Flaky(), [1, 1, 1], limit=1, policy=Retry(2, backoff=constant(10)))

    assert asyncio.get_running_loop().time() == 10


async def test_a_pipeline_is_a_policy_too() -> None:
    outcomes = await map(Flaky(), [1], limit=1, policy=Retry(1) | AGAIN)

    assert outcomes.values() == ["value 1"]
    assert len(outcomes[0].survived) == 1


async def test_a_cancelled_map_hands_over_what_each_item_came_to() -> None:
    task = asyncio.create_task(map(Flaky(), [0, 9], limit=2, policy=Retry(99, backoff=constant(1))))
    await asyncio.sleep(2.5)
    task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    value, cancelled = partial(caught.value)
    assert value.value == "value 0"
    assert isinstance(cancelled, Cancelled)
    assert cancelled.index == 1
    assert len(attempts(cancelled.error)) == 3


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
async def test_what_stops_everything_still_does(stop: type[BaseException]) -> None:
    async def work(item: int) -> int:
        if item == 1:
            raise stop
        return item

    with pytest.raises(stop):
        await map(work, [0, 1, 2], limit=1, policy=AGAIN)


async def test_frames_of_failures_can_be_released() -> None:
    async def work(item: int) -> None:
        local = [item]
        raise PermanentError(local)

    (outcome,) = await map(work, [1], limit=1, policy=AGAIN, release_frames=True)

    frames = []
    link = outcome.error.__traceback__
    while link is not None:
        frames.append(link.tb_frame)
        link = link.tb_next
    assert frames[-1].f_code.co_name == "work"
    assert frames[-1].f_locals == {}


async def test_a_child_of_a_group_is_tried_again_and_its_outcome_says_so() -> None:
    async with TaskGroup() as group:
        handle = group.start_soon(Flaky(), 2, policy=AGAIN, name="two")

    assert handle.outcome.value == "value 2"
    assert (handle.outcome.attempts, len(handle.outcome.survived)) == (3, 2)
    assert (handle.outcome.index, handle.outcome.key, handle.outcome.duration) == (0, "two", 2)
    assert handle.status == "returned"
    assert await handle == "value 2"
    assert group.outcomes[0] is handle.outcome


async def test_a_child_that_is_given_up_fails_its_group_with_its_own_error() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            handle = group.start_soon(Flaky(), 9, policy=AGAIN)
            other = group.start_soon(asyncio.sleep, 99)

    (error,) = caught.value.exceptions
    assert error is handle.outcome.error
    assert len(attempts(error)) == 2
    assert other.status == "cancelled"
    assert asyncio.get_running_loop().time() == 2


async def test_a_groups_own_policy_sees_the_outcome_that_the_policy_around_the_child_made() -> None:
    async with TaskGroup(policy=collect()) as group:
        group.start_soon(Flaky(), 1, policy=AGAIN)
        group.start_soon(Flaky(), 9, policy=AGAIN)

    assert [outcome.attempts for outcome in group.result] == [2, 3]
    assert [type(outcome) for outcome in group.result] == [Value, Failure]


async def test_whoever_awaits_a_child_that_was_given_up_gets_its_error() -> None:
    async with TaskGroup(policy=collect()) as group:
        handle = group.start_soon(Flaky(), 9, policy=AGAIN)
        lengths = [await length_of_traceback(handle) for _ in range(3)]

    assert lengths == lengths[:1] * 3


async def length_of_traceback(handle: Handle) -> int:
    with pytest.raises(TransientError) as caught:
        await handle
    assert caught.value is handle.outcome.error
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].name == Flaky.__call__.__name__
    return len(frames)


async def test_a_child_is_cancelled_between_its_attempts() -> None:
    async with TaskGroup() as group:
        handle = group.start_soon(Flaky(), 9, policy=Retry(99, backoff=constant(10)))
        await asyncio.sleep(15)
        handle.cancel("enough")

    assert handle.status == "cancelled"
    assert handle.outcome.reason == "enough"
    assert len(attempts(handle.outcome.error)) == 2
    assert asyncio.get_running_loop().time() == 15


@pytest.mark.parametrize("wrong", [5, Retry, "retry"])
async def test_what_is_no_policy_is_refused_with_what_to_write(wrong) -> None:
    async with TaskGroup() as group:
        with pytest.raises(UsageError, match="Write policy="):
            group.start_soon(asyncio.sleep, 1, policy=wrong)
    with pytest.raises(UsageError, match="Write policy="):
        await map(asyncio.sleep, [1], limit=1, policy=wrong)
    with pytest.raises(UsageError, match="Write policy="):
        stream(asyncio.sleep, [1], limit=1, policy=wrong)


class Weak(TransientError): ...


async def in_a_group(work) -> None:
    async with TaskGroup(policy=collect()) as group:
        group.start_soon(work, 1, policy=AGAIN)


async def in_map(work) -> None:
    await map(work, [1, 2], limit=2, policy=AGAIN)


async def in_stream(work) -> None:
    await through_stream(work, [1, 2], limit=2, policy=AGAIN)


@pytest.mark.parametrize("through", [in_a_group, in_map, in_stream])
async def test_no_error_waits_for_the_cyclic_collector(through) -> None:
    gone: list[weakref.ref] = []

    async def work(_item: int) -> None:
        error = Weak()
        gone.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    gc.collect()
    gc.disable()
    try:
        await through(work)
        await asyncio.sleep(0)
        assert len(gone) >= 3
        assert [ref() for ref in gone] == [None] * len(gone)
    finally:
        gc.enable()
