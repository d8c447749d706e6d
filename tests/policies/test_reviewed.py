"""Cancellations that are pending when a call begins, clocks that change, and other corners of all policies."""

import asyncio
import gc

import pytest

from unlost import (
    Breaker,
    Bulkhead,
    Cooldown,
    DeadlineExceeded,
    Fallback,
    Hedge,
    LimitWaited,
    Retry,
    RetryBudget,
    UsageError,
    constant,
    listen,
    retry,
    timeout,
)


async def returns(value=None):
    await asyncio.sleep(1)
    return value


LAYERS = {
    "timeout": lambda: timeout(60),
    "Breaker": Breaker,
    "Bulkhead": lambda: Bulkhead(1),
    "Fallback": lambda: Fallback(returns),
    "Hedge": lambda: Hedge(5, idempotent=True),
    "Retry": Retry,
    "pipeline": lambda: timeout(60) | Retry() | Breaker() | timeout(9),
}


@pytest.mark.parametrize("name", LAYERS)
async def test_a_cancellation_that_was_pending_when_the_call_began_comes_out(name):
    layer = LAYERS[name]()

    async def calls():
        asyncio.current_task().cancel("outside")
        return await layer.outcome(returns)

    calling = asyncio.create_task(calls())
    with pytest.raises(asyncio.CancelledError, match="outside"):
        await calling

    assert calling.cancelled()
    assert calling.cancelling() == 1


async def test_no_alternative_starts_where_the_cancellation_was_pending_and_made_an_error():
    started = []

    async def converts():
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            raise ConnectionError("converted") from None

    async def alternative():
        started.append(1)

    async def calls():
        asyncio.current_task().cancel()
        return await Fallback(alternative).call(converts)

    with pytest.raises(ConnectionError, match="converted"):
        await asyncio.create_task(calls())

    assert started == []


@pytest.mark.parametrize("order", ["cancel first", "gate first"])
async def test_a_caller_cancelled_in_the_moment_its_cool_down_ends_is_cancelled(order):
    cooldown = Cooldown(5, ramp=0)["host"]
    cooldown.cool(5)
    loop = asyncio.get_running_loop()
    waiting = None

    def cancel():
        waiting.cancel("outside")

    if order == "cancel first":
        loop.call_later(5, cancel)
    waiting = asyncio.create_task(cooldown.wait())
    await asyncio.sleep(0)
    if order == "gate first":
        loop.call_later(5, cancel)

    with pytest.raises(asyncio.CancelledError):
        await waiting
        raise asyncio.CancelledError  # its turn may have come before it was asked to stop


def test_the_permit_of_a_stream_on_a_loop_that_is_closed_is_void(virtual_loop):
    bulkhead = Bulkhead(1)

    @bulkhead
    async def numbers():
        yield 1
        yield 2

    async def abandons():
        generator = numbers()
        await anext(generator)
        return generator

    loop = virtual_loop()
    kept = loop.run_until_complete(abandons())
    loop.close()

    async def uses():
        async with bulkhead:
            assert bulkhead.running == 1

    loop = virtual_loop()
    loop.run_until_complete(uses())
    del kept
    gc.collect()
    loop.run_until_complete(uses())
    loop.close()
    assert bulkhead.running == 0


def test_a_budget_refills_on_a_clock_that_starts_anew(virtual_loop):
    budget = RetryBudget(ratio=0, minimum_per_second=1, burst=1)

    async def takes_after(seconds):
        await asyncio.sleep(seconds)
        first = budget.withdraw()
        await asyncio.sleep(3)
        return first, budget.withdraw()

    taken = []
    for seconds in (1000, 0):
        loop = virtual_loop()
        taken.append(loop.run_until_complete(takes_after(seconds)))
        loop.close()

    assert taken == [(True, True), (False, True)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Retry(3, on_result=lambda value: value is None) | Fallback(returns, Fallback.value(None)),
        lambda: Hedge(0.2, idempotent=True) | Fallback(returns, Fallback.value(None)),
        lambda: timeout(30) | Retry(5, on=Exception, hint_cap=10) | Breaker(),
        lambda: timeout(90) | Retry(5, on=Exception, total=20) | Breaker(),
    ],
)
def test_a_pipeline_that_can_work_is_built(make):
    assert len(make().layers) >= 2


def test_one_attempt_that_may_take_all_the_time_of_a_retry_is_refused():
    with pytest.raises(UsageError, match="there is no time for another"):
        Retry(3, total=5) | timeout(10)


async def test_a_deadline_says_where_the_work_stood():
    async def inner():
        await asyncio.sleep(100)

    with pytest.raises(DeadlineExceeded) as of_a_block:
        async with timeout(1):
            await inner()
    with pytest.raises(DeadlineExceeded) as of_a_layer:
        await timeout(1).call(inner)

    assert of_a_block.value.where.startswith("test_reviewed.py:")
    assert of_a_block.value.where.endswith("inner")
    assert of_a_layer.value.where.endswith("inner")


async def test_a_stream_without_an_item_is_no_result_to_ask_about():
    asked = []

    @Retry(2, on_result=lambda value: asked.append(value), backoff=constant(0))
    async def nothing():
        return
        yield

    assert [item async for item in nothing()] == []
    assert asked == []


async def test_a_number_alone_is_the_number_of_attempts():
    assert retry(5).attempts == 5


async def test_a_limit_of_time_that_fires_is_an_event():
    told = []

    with listen(told.append), pytest.raises(DeadlineExceeded):
        async with timeout(2, "page"):
            await returns(await asyncio.sleep(100))

    (fired,) = told
    assert (fired.name, fired.seconds) == ("page", 2)
    assert fired.where.startswith("test_reviewed.py:")


async def test_the_wait_for_a_cool_down_is_an_event():
    told = []
    cooldown = Cooldown(5, ramp=0)["host"]
    cooldown.cool(5)

    with listen(told.append):
        await cooldown.wait()

    waits = [event for event in told if isinstance(event, LimitWaited)]
    assert [(event.name, event.seconds) for event in waits] == [("cool-down of 'host'", 5)]
