"""What Python does in rare moments, pinned, and what a limit makes of it."""

import asyncio
import sys

import pytest

from unlost._core import listen
from unlost._core._swallowed import CancellationSwallowed
from unlost.errors import DeadlineExceeded
from unlost.policies import deadline, timeout


async def ended_together(wait) -> tuple[asyncio.Task, asyncio.Future]:
    """Let what a task waits for come in the same tick as the task's cancellation from outside."""
    result = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(wait(result))
    await asyncio.sleep(1)
    result.set_result("value")
    task.cancel("outside")
    await asyncio.wait([task])
    return task, result


async def test_python_wait_for_loses_the_cancellation_or_the_result_that_come_together() -> None:
    async def wait(future: asyncio.Future) -> str:
        return await asyncio.wait_for(future, 60)

    task, _ = await ended_together(wait)

    # cpython#86296: until 3.11 the cancellation is lost, from 3.12 on the result
    assert task.cancelled() == (sys.version_info >= (3, 12))


async def test_a_limit_lets_the_cancellation_out_and_the_result_stays_where_it_is() -> None:
    async def wait(future: asyncio.Future) -> str:
        async with timeout(60):
            return await future

    task, result = await ended_together(wait)

    assert task.cancelled()
    assert task.cancelling() == 1
    assert result.result() == "value"


async def test_a_result_that_comes_together_with_the_limit_is_kept_where_it_was_awaited() -> None:
    result = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_at(1, result.set_result, "value")

    with pytest.raises(DeadlineExceeded):
        async with timeout(1):
            await result

    assert result.result() == "value"


async def test_a_wait_for_that_drops_the_limits_cancellation_is_told() -> None:
    events = []
    result = asyncio.get_running_loop().create_future()

    async def limited() -> str:
        async with timeout(1, "limit"):
            return await asyncio.wait_for(result, 60)

    task = asyncio.create_task(limited())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_at(1, result.set_result, "value")
    with listen(events.append):
        await asyncio.wait([task])

    if sys.version_info >= (3, 12):
        assert isinstance(task.exception(), DeadlineExceeded)
        assert [type(event).__name__ for event in events] == ["DeadlineFired"]
    else:
        assert task.result() == "value"
        _fired, swallowed = events
        assert isinstance(swallowed, CancellationSwallowed)
        assert swallowed.reason.who == "limit"


async def test_python_a_cleanup_error_replaces_the_timeout() -> None:
    with pytest.raises(OSError, match="cleanup"):
        async with asyncio.timeout(1):
            try:
                await asyncio.sleep(60)
            finally:
                raise OSError("cleanup")


async def test_python_uncancel_leaves_a_self_cancellation_pending_before_313() -> None:
    async def body() -> str:
        asyncio.current_task().cancel()
        asyncio.current_task().uncancel()
        await asyncio.sleep(1)
        return "not cancelled"

    task = asyncio.create_task(body())
    await asyncio.wait([task])

    assert task.cancelled() == (sys.version_info < (3, 13))


async def test_a_self_cancellation_that_was_taken_back_and_is_still_pending_is_not_taken_for_the_limit() -> None:
    async def body() -> str:
        async with timeout(5):
            asyncio.current_task().cancel("own")
            asyncio.current_task().uncancel()
            await asyncio.sleep(1)
        return "not cancelled"

    task = asyncio.create_task(body())
    await asyncio.wait([task])

    assert task.cancelled() == (sys.version_info < (3, 13))
    assert task.cancelling() == 0


async def test_a_limit_that_fired_and_a_pending_self_cancellation_leave_that_one_to_the_next_await() -> None:
    async def body() -> None:
        async with timeout(1):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                asyncio.current_task().cancel("own")
        await asyncio.sleep(1)

    task = asyncio.create_task(body())

    with pytest.raises(asyncio.CancelledError, match="own"):
        await task
    assert task.cancelling() == 1


async def test_a_timeout_error_of_the_bodys_own_is_one_of_the_errors_where_the_limit_fired_as_well() -> None:
    users = TimeoutError("the user's")

    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(1):
            try:
                await asyncio.sleep(60)
            finally:
                raise users

    assert caught.value.errors == (users,)


async def test_an_inner_limit_does_not_outlive_the_outer_one() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        async with deadline(1, "outer"), timeout(5, "inner") as inner:
            inner.reschedule(100)
            await asyncio.sleep(60)

    assert caught.value.name == "outer"
    assert asyncio.get_running_loop().time() == 1
    assert not inner.expired()
