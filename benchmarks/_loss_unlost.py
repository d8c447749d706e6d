"""This library."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from _loss_attempts import Attempts, cancelled_while_it_waits, the_place_is_taken, the_refusal
from _loss_cells import Cells, Main, Operations, got
from _loss_record import Boom, raise_

import unlost
from unlost import Breaker, Bulkhead, Fallback, Hedge, RateLimit
from unlost.errors import BreakerOpen


def _run(main: Main) -> object:
    return unlost.run(main)


CELLS = Cells(_run)
do = Operations(asyncio.sleep)
_held: list[object] = []
_HEDGE = Hedge(0.01, idempotent=True)


def _retry(attempts: int, wait: float = 0.001) -> unlost.Retry:
    return unlost.Retry(attempts, on=Boom, base=wait, jitter=False)


@CELLS.cell("same_tick", "TaskGroup")
async def same_tick() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(do.fail, "first")
        group.start_soon(do.fail, "second")


@CELLS.cell("stopped_raise", "TaskGroup")
async def stopped_raise() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(do.fail_when_stopped, "stopped")
        group.start_soon(do.fail_when_stopped, "stopped")
        group.start_soon(do.fail, "first", 0.01)


@CELLS.cell("body_and_child", "TaskGroup")
async def body_and_child() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(do.fail_when_stopped, "child")
        await asyncio.sleep(0.01)
        raise_("body")


@CELLS.cell("before_first_step", "TaskGroup")
async def before_first_step() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(do.fail_when_stopped, "child")
        raise_("body")


@CELLS.cell("nested_groups", "TaskGroup")
async def nested_groups() -> None:
    async with unlost.TaskGroup() as outer:
        outer.start_soon(do.fail, "outer", 0.01)
        async with unlost.TaskGroup() as inner:
            inner.start_soon(do.fail, "inner", 0.01)
            inner.start_soon(do.fail_when_stopped, "inner stopped")


@CELLS.cell("child_exits", "TaskGroup")
async def child_exits() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(do.fail_when_stopped, "sibling")
        group.start_soon(do.exit, 0.01)


@CELLS.cell("child_interrupts", "TaskGroup")
async def child_interrupts() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(do.fail_when_stopped, "sibling")
        group.start_soon(do.interrupt, 0.01)


@CELLS.cell("swallowed_cancel", "TaskGroup")
async def swallowed_cancel() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(do.swallow_then_fail, "swallower")
        group.start_soon(do.fail, "first", 0.01)


@CELLS.cell("eager_child", "TaskGroup, asyncio.eager_task_factory")
async def eager_child() -> None:
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    async with unlost.TaskGroup() as group:
        group.start_soon(do.fail_when_stopped, "sibling")
        group.start_soon(do.fail, "eager")


@CELLS.cell("outside_cancel", "TaskGroup, Task.cancel")
async def outside_cancel() -> None:
    async def work() -> None:
        async with unlost.TaskGroup() as group:
            group.start_soon(do.fail_when_stopped, "first")
            group.start_soon(do.fail_when_stopped, "second")

    await _cancelled_from_outside(work())


@CELLS.cell("cancel_same_tick", "TaskGroup, Task.cancel")
async def cancel_same_tick() -> None:
    async def fail_and_cancel(caller: asyncio.Task[None]) -> None:
        await asyncio.sleep(0.01)
        caller.cancel()
        raise_("child")

    async def work() -> None:
        async with unlost.TaskGroup() as group:
            group.start_soon(fail_and_cancel, caller)

    caller = asyncio.create_task(work())
    await caller


@CELLS.cell("exit_fails", "TaskGroup inside of @asynccontextmanager")
async def exit_fails() -> None:
    @asynccontextmanager
    async def resource() -> AsyncIterator[None]:
        try:
            yield
        finally:
            raise_("exit")

    async with resource(), unlost.TaskGroup() as group:
        group.start_soon(do.fail, "child")


@CELLS.cell("gathered", "gather")
async def gathered() -> object:
    return await unlost.gather(do.fail("first"), do.fail("second"))


@CELLS.cell("gathered_later", "gather")
async def gathered_later() -> None:
    try:
        await unlost.gather(do.fail("first"), do.fail("second", 0.03))
    except* Boom as errors:  # handled: the program goes on
        got(errors)
    await asyncio.sleep(0.1)


@CELLS.cell("gathered_cancel", "gather, Task.cancel")
async def gathered_cancel() -> None:
    async def work() -> None:
        await unlost.gather(do.fail_when_stopped("first"), do.fail_when_stopped("second"))

    await _cancelled_from_outside(work())


@CELLS.cell("collected", "settle")
async def collected() -> object:
    return await unlost.settle(do.fail("first"), do.succeed(), do.fail("second"))


@CELLS.cell("collected_cut", "settle, timeout")
async def collected_cut() -> object:
    async with unlost.timeout(0.05):
        return await unlost.settle(do.fail("first"), do.succeed(30), do.fail("second"))


@CELLS.cell("all_to_the_end", "TaskGroup(policy=wait_all())")
async def all_to_the_end() -> None:
    async with unlost.TaskGroup(policy=unlost.wait_all()) as group:
        group.start_soon(do.fail, "first")
        group.start_soon(do.succeed)
        group.start_soon(do.fail, "second")


@CELLS.cell("batch", "map")
async def batch() -> object:
    return await unlost.map(do.fail_each_20th, range(1000), limit=100)


@CELLS.cell("first_exception", "TaskGroup")
async def first_exception() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(do.fail, "first", 0.01)
        group.start_soon(do.fail_when_stopped, "stopped")


@CELLS.cell("as_completed_left", "as_completed")
async def as_completed_left() -> None:
    jobs = [do.succeed(), do.fail("later", 0.03), do.fail_when_stopped("stopped")]
    async with unlost.as_completed(*jobs) as outcomes:
        async for outcome in outcomes:
            got(outcome)
            break
    await asyncio.sleep(0.1)


@CELLS.cell("race_losers", "race, receipt")
async def race_losers() -> object:
    with unlost.receipt() as survived:
        value = await unlost.race(do.fail("earlier"), do.succeed(0.02), do.fail_when_stopped("stopped"))
    return value, survived.errors


@CELLS.cell("race_all_fail", "race")
async def race_all_fail() -> object:
    return await unlost.race(do.fail("first"), do.fail("second", 0.01), do.fail("third", 0.02))


@CELLS.cell("timeout_cleanup", "timeout")
async def timeout_cleanup() -> None:
    async with unlost.timeout(0.01):
        await do.fail_when_stopped("cleanup")


@CELLS.cell("timeout_group", "timeout, TaskGroup")
async def timeout_group() -> None:
    async with unlost.timeout(0.01), unlost.TaskGroup() as group:
        group.start_soon(do.fail_when_stopped, "first")
        group.start_soon(do.fail_when_stopped, "second")


@CELLS.cell("timeout_gathered", "timeout, gather")
async def timeout_gathered() -> None:
    async with unlost.timeout(0.01):
        await unlost.gather(do.fail_when_stopped("first"), do.fail_when_stopped("second"))


@CELLS.cell("thread_outlives", "timeout, to_thread")
async def thread_outlives() -> None:
    try:
        async with unlost.timeout(0.1):
            await unlost.to_thread(_fail_in_thread, 0.3)
    except TimeoutError as error:
        got(error)
    await asyncio.sleep(0.5)


@CELLS.cell("shield_outlived", "spawn, timeout around awaiting its handle")
async def shield_outlived() -> None:
    handle = unlost.spawn(do.fail, "shielded", 0.05)
    try:
        async with unlost.timeout(0.01):
            await handle
    except TimeoutError as error:
        got(error)
    del handle
    await asyncio.sleep(0.2)


@CELLS.cell("retry_fails", "Retry")
async def retry_fails() -> object:
    return await _retry(3).call(Attempts(3).call)


@CELLS.cell("retry_fails_listening", "Retry, receipt")
async def retry_fails_listening() -> object:
    with unlost.receipt():
        return await _retry(3).call(Attempts(3).call)


@CELLS.cell("retry_survives", "Retry, receipt")
async def retry_survives() -> object:
    with unlost.receipt() as survived:
        value = await _retry(3).call(Attempts(2).call)
    return value, survived.errors


@CELLS.cell("retry_in_group", "Retry, TaskGroup")
async def retry_in_group() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(_retry(2).call, Attempts(9).call)
        group.start_soon(_retry(2).call, Attempts(9).call)


@CELLS.cell("retry_cancelled", "Retry")
async def retry_cancelled() -> None:
    await cancelled_while_it_waits(partial(_retry(3, wait=30.0).call, Attempts(3).call))


@CELLS.cell("hedge_survives", "Hedge, receipt")
async def hedge_survives() -> object:
    with unlost.receipt() as survived:
        value = await _HEDGE.call(_next, iter([do.fail("first", 0.02), do.succeed(0.04)]))
    return value, survived.errors


@CELLS.cell("hedge_fails", "Hedge")
async def hedge_fails() -> object:
    return await _HEDGE.call(_next, iter([do.fail("first", 0.02), do.fail("second", 0.02)]))


@CELLS.cell("hedge_cancelled", "Hedge, Task.cancel")
async def hedge_cancelled() -> None:
    jobs = iter([do.fail_when_stopped("first"), do.fail_when_stopped("second")])
    await cancelled_while_it_waits(partial(_HEDGE.call, _next, jobs))


@CELLS.cell("fallback_survives", "Fallback, receipt")
async def fallback_survives() -> object:
    with unlost.receipt() as survived:
        value = await Fallback(Fallback.value("value")).call(do.fail, "operation")
    return value, survived.errors


@CELLS.cell("fallback_fails", "Fallback")
async def fallback_fails() -> object:
    async def first(_label: str) -> None:
        raise_("fallback")

    async def second(_label: str) -> None:
        raise_("next fallback")

    return await Fallback(first, second).call(do.fail, "operation")


@CELLS.cell("total_runs_out", "deadline | Retry")
async def total_runs_out() -> object:
    waits = [0.01, 30.0]
    retry = unlost.Retry(3, on=Boom, backoff=lambda attempt: waits[attempt - 1])
    return await (unlost.deadline(0.1) | retry).call(Attempts(3).call)


@CELLS.cell("pipeline_fails", "deadline | Retry | Breaker")
async def pipeline_fails() -> object:
    return await (unlost.deadline(60) | _retry(3) | Breaker(on=Boom)).call(Attempts(3).call)


@CELLS.cell("breaker_refuses_retry", "Retry, Breaker")
async def breaker_refuses_retry() -> object:
    retry = unlost.Retry(3, on=Exception, base=0.001, hint_cap=None)
    breaker = Breaker(minimum=2, on=Boom)
    return await retry.call(breaker.call, Attempts(3).call)


@CELLS.cell("bulkhead_refuses_retry", "Retry, Bulkhead(queue=0)")
async def bulkhead_refuses_retry() -> object:
    retry = unlost.Retry(2, on=Exception, base=0.05, jitter=False)
    return await the_place_is_taken(Bulkhead(1, queue=0), retry)


@CELLS.cell("rate_refuses_retry", "Retry, RateLimit(max_wait=0)")
async def rate_refuses_retry() -> object:
    retry = unlost.Retry(2, on=Exception, base=0.001)
    rate = RateLimit(1, per=60, max_wait=0)
    return await retry.call(rate.call, Attempts(2).call)


@CELLS.cell("breaker_open", "Breaker")
async def breaker_open() -> object:
    guarded = Breaker(minimum=2, on=Boom)(Attempts(2).call)
    return await the_refusal(guarded, BreakerOpen)


@CELLS.cell("background_dropped", "spawn")
async def background_dropped() -> None:
    unlost.spawn(do.fail, "background")
    await asyncio.sleep(0.05)


@CELLS.cell("background_held", "spawn")
async def background_held() -> None:
    _held.append(unlost.spawn(do.fail, "background"))
    await asyncio.sleep(0.05)


@CELLS.cell("background_shutdown", "Background")
async def background_shutdown() -> None:
    async with unlost.Background(grace=0.01) as background:
        background.spawn(do.fail_when_stopped, "first")
        background.spawn(do.fail_when_stopped, "second")


@CELLS.cell("tasks_stopped", "TaskGroup.cancel")
async def tasks_stopped() -> None:
    async with unlost.TaskGroup() as group:
        group.start_soon(do.fail_when_stopped, "first")
        group.start_soon(do.fail_when_stopped, "second")
        await asyncio.sleep(0.01)
        group.cancel("shutdown")


@CELLS.cell("executor_dropped", "spawn, to_thread")
async def executor_dropped() -> None:
    unlost.spawn(unlost.to_thread, _fail_in_thread, 0.0)
    await asyncio.sleep(0.1)


@CELLS.cell("callback_fails", "TaskGroup.create_task, add_done_callback, run")
async def callback_fails() -> None:
    async with unlost.TaskGroup() as group:
        group.create_task(do.fail("task")).add_done_callback(_fail_in_callback)


@CELLS.cell("generator_abandoned", "run")
async def generator_abandoned() -> None:
    async for _ in _numbers():
        break
    await asyncio.sleep(0.05)


@CELLS.cell("queue_producer", "Channel, TaskGroup")
async def queue_producer() -> None:
    channel = unlost.Channel[str](1)

    async def produce(producer: unlost.Producer[str]) -> None:
        async with producer:
            await do.fail("producer", 0.01)

    async with unlost.TaskGroup() as group, channel.consumer() as consumer:
        group.start_soon(produce, channel.producer())
        async for _ in consumer:
            pass


@CELLS.cell("queue_worker", "Channel, TaskGroup(policy=wait_all())")
async def queue_worker() -> None:
    channel = unlost.Channel[int](4)

    async def worker(consumer: unlost.Consumer[int]) -> None:
        async with consumer:
            async for number in consumer:
                await asyncio.sleep(0.01)
                if number == 0:
                    raise_("worker")

    async with unlost.TaskGroup(policy=unlost.wait_all()) as group, channel.producer() as producer:
        for _ in range(2):
            group.start_soon(worker, channel.consumer())
        for number in range(4):
            await producer.put(number)


@CELLS.cell("cleanups_fail", "Finalizers")
async def cleanups_fail() -> None:
    async with unlost.Finalizers() as finalizers:
        for label in ("third", "second", "first"):
            finalizers.push(do.fail, label)
        raise_("operation")


@CELLS.cell("restarted", "Supervisor, receipt")
async def restarted() -> object:
    with unlost.receipt() as survived:
        async with unlost.Supervisor(intensity=3, period=5.0, backoff=_at_once) as supervisor:
            supervisor.start_child(Attempts(2).call, restart="transient")
    return survived.errors


@CELLS.cell("restarts_end", "Supervisor")
async def restarts_end() -> None:
    async with unlost.Supervisor(intensity=2, period=5.0, backoff=_at_once) as supervisor:
        supervisor.start_child(Attempts(9).call, restart="permanent")


async def _cancelled_from_outside(work: Coroutine[Any, Any, None]) -> None:  # Any: what it yields to the loop
    task = asyncio.create_task(work)
    await asyncio.sleep(0.02)
    task.cancel()
    await task


async def _next(jobs: Iterator[Coroutine[Any, Any, object]]) -> object:  # Any: as above
    return await next(jobs)


def _at_once(_restart: int) -> float:
    return 0.001


def _fail_in_thread(after: float) -> None:
    time.sleep(after)
    raise_("thread")


def _fail_in_callback(_task: asyncio.Task[object]) -> None:
    raise_("callback")


async def _numbers() -> AsyncIterator[int]:
    try:
        yield 1
        yield 2
    finally:
        raise_("generator")
