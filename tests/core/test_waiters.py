import asyncio

import pytest

from unlost._core._waiters import Waiters


async def waiting(waiters, number):
    tasks = [asyncio.create_task(waiters.wait()) for _ in range(number)]
    await asyncio.sleep(0)
    return tasks


async def test_who_waits_longest_is_woken_first():
    waiters = Waiters()
    tasks = await waiting(waiters, 3)

    waiters.wake_one()
    await tasks[0]

    assert [task.done() for task in tasks] == [True, False, False]
    assert len(waiters) == 2
    waiters.wake_all()
    await asyncio.gather(*tasks)


async def test_a_wake_up_that_meets_a_cancellation_goes_to_the_next():
    """cpython#112202: ``asyncio.Condition`` of 3.11 and 3.12 loses it."""

    waiters = Waiters()
    first, second = await waiting(waiters, 2)

    waiters.wake_one()
    first.cancel()
    await second

    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_cancelled_waiter_leaves_the_line():
    waiters = Waiters()
    first, second = await waiting(waiters, 2)

    first.cancel()
    waiters.wake_one()
    await second

    assert len(waiters) == 0
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_waking_nobody_is_nothing():
    Waiters().wake_one()
    Waiters().wake_all()
