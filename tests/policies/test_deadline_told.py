"""Who cancelled, why, which limit: on the cancellation, and as an event where the body swallows it."""

import asyncio
import contextlib

import pytest

from unlost._core import Event, cancel_reason, listen
from unlost._core._swallowed import CancellationSwallowed
from unlost.errors import DeadlineExceeded
from unlost.policies import DeadlineFired, deadline, timeout


async def test_the_cancellation_says_which_limit_asked_for_it() -> None:
    with pytest.raises(DeadlineExceeded):
        async with deadline(60), timeout(10, "fetch timeout"):
            with pytest.raises(asyncio.CancelledError) as caught:
                await asyncio.sleep(30)
            raise caught.value

    reason = cancel_reason(caught.value)
    assert (reason, reason.who) == ("fetch timeout of 10 s exceeded", "fetch timeout")
    assert reason.asked_at > 0


async def test_a_child_is_told_the_reason_too() -> None:
    async def child() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as cancelled:
            reasons.append(cancel_reason(cancelled))
            raise

    reasons = []
    with pytest.raises(DeadlineExceeded):
        async with timeout(10, "fetch timeout"):
            await asyncio.create_task(child())

    assert [reason.who for reason in reasons] == ["fetch timeout"]


async def a_body_that_swallows() -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


async def test_a_swallowed_cancellation_is_told_with_where_the_task_stood() -> None:
    events: list[Event] = []
    asyncio.current_task().set_name("worker")

    with listen(events.append):
        async with timeout(1, "fetch timeout") as limit:
            await a_body_that_swallows()

    assert limit.expired()
    fired, swallowed = events
    assert isinstance(fired, DeadlineFired)
    assert isinstance(swallowed, CancellationSwallowed)
    assert (swallowed.name, swallowed.reason.who) == ("worker", "fetch timeout")
    assert swallowed.reason == "fetch timeout of 1 s exceeded"
    assert ".py:" in swallowed.where
    assert swallowed.where.endswith("in a_body_that_swallows")


async def test_what_comes_out_is_not_told_as_swallowed() -> None:
    events: list[Event] = []

    with listen(events.append):
        async with timeout(1):
            pass
        with pytest.raises(DeadlineExceeded):
            async with timeout(1):
                await asyncio.sleep(60)

    assert [type(event) for event in events] == [DeadlineFired]


async def test_both_cancellations_swallowed_leave_the_outside_ones_count() -> None:
    events: list[Event] = []

    async def limited() -> int:
        async with timeout(1):
            await a_body_that_swallows()
            await a_body_that_swallows()
        return asyncio.current_task().cancelling()

    task = asyncio.create_task(limited())
    await asyncio.sleep(2)
    task.cancel()

    with listen(events.append):
        count = await task

    assert count == 1
    assert [type(event) for event in events] == [CancellationSwallowed]


async def test_a_body_that_took_the_cancellation_back_itself_keeps_the_count_from_before() -> None:
    async def limited() -> int:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)
        async with timeout(1):
            await a_body_that_swallows()
            asyncio.current_task().uncancel()
        return asyncio.current_task().cancelling()

    task = asyncio.create_task(limited())
    await asyncio.sleep(0)
    task.cancel()

    assert await task == 1
