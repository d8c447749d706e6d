import asyncio

import pytest

from unlost._core import Failure, TaskGroup, collect
from unlost.errors import ChildCancelled, UsageError, attached


async def serve(port, *, task_status):
    await asyncio.sleep(1)
    task_status.started(f"listening on {port}")
    await asyncio.sleep(1)
    return "served"


async def test_start_returns_what_the_child_says_when_it_is_ready():
    async with TaskGroup() as group:
        assert await group.start(serve, 80) == "listening on 80"
        assert group.outcomes == []

    assert group.result == ["served"]


async def test_a_child_that_fails_before_it_is_ready_fails_its_start_and_not_the_group():
    error = OSError("port in use")

    async def fails(*, task_status):
        await asyncio.sleep(1)
        raise error

    async with TaskGroup() as group:
        with pytest.raises(OSError, match="port in use") as caught:
            await group.start(fails)
        still_open = group.start_soon(asyncio.sleep, 1, "went on")

    assert caught.value is error
    assert group.outcomes[0].value == "went on"
    assert still_open.index == 0


async def test_a_child_that_fails_after_it_was_ready_is_the_groups():
    async def fails(*, task_status):
        task_status.started()
        await asyncio.sleep(1)
        raise OSError("later")

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            assert await group.start(fails) is None

    assert str(caught.value.exceptions[0]) == "later"


async def test_a_child_that_ends_without_a_word_is_a_mistake_and_says_what_to_write():
    async def silent(*, task_status):
        await asyncio.sleep(1)

    async with TaskGroup() as group:
        with pytest.raises(UsageError, match=r"Call task_status\.started\(\)"):
            await group.start(silent)


async def test_saying_it_twice_is_a_mistake():
    async def twice(*, task_status):
        task_status.started()
        task_status.started()

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            await group.start(twice)

    assert "called twice" in str(caught.value.exceptions[0])


async def test_a_child_that_is_cancelled_before_it_is_ready_is_no_cancellation_of_the_starter():
    async def cancels_itself(*, task_status):
        asyncio.current_task().cancel("gave up")
        await asyncio.sleep(1)

    async with TaskGroup() as group:
        with pytest.raises(ChildCancelled, match="gave up"):
            await group.start(cancels_itself)


async def test_a_cancelled_start_takes_its_child_along_and_keeps_its_error():
    late = OSError("while closing")

    async def slow(*, task_status):
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(2)
            raise late

    async def starts():
        async with TaskGroup(collect()) as group:
            await group.start(slow)

    starting = asyncio.create_task(starts())
    await asyncio.sleep(1)
    starting.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough") as caught:
        await starting

    assert attached(caught.value) == (late,)
    assert starting.cancelling() == 1


async def test_a_group_that_is_cancelled_meanwhile_cancels_the_starting_child():
    async def never_ready(*, task_status):
        await asyncio.sleep(1000)

    async with TaskGroup() as group:
        asyncio.get_running_loop().call_later(1, group.cancel, "enough")
        await group.start(never_ready)

    assert group.outcomes == []


async def test_what_stops_the_program_is_the_groups_even_before_the_child_is_ready():
    async def stops(*, task_status):
        await asyncio.sleep(1)
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        async with TaskGroup() as group:
            await group.start(stops)


async def test_a_failure_before_ready_is_the_starters_also_where_the_policy_collects():
    async def fails(*, task_status):
        raise OSError("at once")

    async with TaskGroup(collect()) as group:
        with pytest.raises(OSError, match="at once"):
            await group.start(fails)
        group.start_soon(asyncio.sleep, 0)

    assert not [outcome for outcome in group.result if isinstance(outcome, Failure)]
