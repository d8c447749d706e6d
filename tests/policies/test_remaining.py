"""How much time the limits around leave: for the next one, and for servers."""

import asyncio
import math

import pytest

from unlost.errors import DeadlineExceeded
from unlost.policies._deadline_calls import deadline, timeout, timeout_at
from unlost.policies._remaining import innermost, remaining


async def test_without_a_limit_there_is_none() -> None:
    assert remaining() is None
    async with timeout(None), timeout_at(math.inf):
        assert remaining() is None


async def test_it_counts_down() -> None:
    async with timeout(10):
        await asyncio.sleep(4)

        assert remaining() == 6


async def test_the_nearest_of_all_limits_counts() -> None:
    async with deadline(5):
        async with timeout(10):
            assert remaining() == 5
        async with timeout(3):
            assert remaining() == 3
        assert remaining() == 5
    assert remaining() is None


async def test_it_is_none_after_a_limit_fired_and_zero_while_cleanup_runs() -> None:
    seen = []
    with pytest.raises(DeadlineExceeded):
        async with timeout(1):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(1)
                seen.append(remaining())
    seen.append(remaining())

    assert seen == [0.0, None]


async def test_a_layer_counts_too() -> None:
    async def left() -> float | None:
        return remaining()

    assert await deadline(30).call(timeout(3).call, left) == 3
    assert remaining() is None


async def test_a_child_is_within_the_limits_of_the_task_that_started_it() -> None:
    async def child() -> list[float | None]:
        left = [remaining()]
        await asyncio.sleep(3)
        return [*left, remaining()]

    async with deadline(30):
        async with timeout(2):
            task = asyncio.create_task(child())
            await asyncio.sleep(1)
        # the block that it was started in is left: the one around it counts
        assert await task == [2, 27]


async def test_a_rescheduled_limit_counts_by_its_new_time() -> None:
    async with timeout(10) as limit:
        limit.reschedule(asyncio.get_running_loop().time() + 50)

        assert remaining() == 50


async def test_blocks_that_are_left_in_another_order_leave_nothing_behind() -> None:
    async def limited():
        async with timeout(10):
            yield

    for _ in range(3):
        numbers = limited()
        await anext(numbers)
        async with timeout(20):
            assert remaining() == 10
            with pytest.raises(StopAsyncIteration):
                await anext(numbers)
            assert remaining() == 20
    assert remaining() is None
    async with timeout(1) as limit:
        assert limit.around is None
    assert innermost.get() is None or innermost.get().around is None


def test_without_a_loop_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        remaining()
