"""resilix: policies, `gather` and `spawn`."""

from __future__ import annotations

import asyncio
import logging
import time

import resilix
from _loss_attempts import Attempts, cancelled_while_it_waits, the_place_is_taken, the_refusal, two_in_a_group
from _loss_cells import Cells, Operations, got
from _loss_record import Boom, raise_
from resilix import CircuitOpenError, protect

CELLS = Cells()
do = Operations(asyncio.sleep)
warn = logging.getLogger("program").warning
_held: list[asyncio.Task[object]] = []


@CELLS.cell("gathered", "gather")
async def gathered() -> object:
    return await resilix.gather(do.fail("first"), do.fail("second"))


@CELLS.cell("gathered_later", "gather")
async def gathered_later() -> object:
    return await resilix.gather(do.fail("first"), do.fail("second", 0.03))


@CELLS.cell("gathered_cancel", "gather, Task.cancel")
async def gathered_cancel() -> None:
    async def work() -> None:
        await resilix.gather(do.fail_when_stopped("first"), do.fail_when_stopped("second"), log=warn)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.02)
    task.cancel()
    await task


@CELLS.cell("collected", "gather")
async def collected() -> object:
    return await resilix.gather(do.fail("first"), do.succeed(), do.fail("second"))


@CELLS.cell("collected_cut", "gather(log=), asyncio.timeout")
async def collected_cut() -> object:
    async with asyncio.timeout(0.05):
        return await resilix.gather(do.fail("first"), do.succeed(30), do.fail("second"), log=warn)


@CELLS.cell("all_to_the_end", "gather(log=)")
async def all_to_the_end() -> None:
    await resilix.gather(do.fail("first"), do.succeed(), do.fail("second"), log=warn)


@CELLS.cell("batch", "gather(limit=100)")
async def batch() -> object:
    return await resilix.gather(*map(do.fail_each_20th, range(1000)), limit=100)


@CELLS.cell("child_exits", "gather(log=)")
async def child_exits() -> object:
    return await resilix.gather(do.fail_when_stopped("sibling"), do.exit(0.01), log=warn)


@CELLS.cell("child_interrupts", "gather(log=)")
async def child_interrupts() -> object:
    return await resilix.gather(do.fail_when_stopped("sibling"), do.interrupt(0.01), log=warn)


@CELLS.cell("timeout_cleanup", "protect.timeout")
async def timeout_cleanup() -> None:
    await protect.timeout(0.01)(do.fail_when_stopped)("cleanup")


@CELLS.cell("timeout_group", "protect.timeout, asyncio.TaskGroup")
async def timeout_group() -> None:
    @protect.timeout(0.01)
    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(do.fail_when_stopped("first"))
            group.create_task(do.fail_when_stopped("second"))

    await work()


@CELLS.cell("timeout_gathered", "protect.timeout, gather(log=)")
async def timeout_gathered() -> None:
    @protect.timeout(0.01)
    async def work() -> None:
        await resilix.gather(do.fail_when_stopped("first"), do.fail_when_stopped("second"), log=warn)

    await work()


@CELLS.cell("thread_outlives", "protect.timeout, protect.offload")
async def thread_outlives() -> None:
    @protect.timeout(0.1)
    @protect.offload()
    def slow() -> None:
        time.sleep(0.3)
        raise_("thread")

    try:
        await slow()
    except TimeoutError as error:
        got(error)
    await asyncio.sleep(0.5)


@CELLS.cell("retry_fails", "protect.when(retry=)")
async def retry_fails() -> object:
    return await protect.when(Boom, retry=3, delay=0.001)(Attempts(3).call)()


@CELLS.cell("retry_fails_listening", "protect.when(retry=, log=)")
async def retry_fails_listening() -> object:
    return await protect.when(Boom, retry=3, delay=0.001, log=warn)(Attempts(3).call)()


@CELLS.cell("retry_survives", "protect.when(retry=, log=)")
async def retry_survives() -> object:
    return await protect.when(Boom, retry=3, delay=0.001, log=warn)(Attempts(2).call)()


@CELLS.cell("retry_in_group", "protect.when(retry=), asyncio.TaskGroup")
async def retry_in_group() -> None:
    await two_in_a_group(protect.when(Boom, retry=2, delay=0.001))


@CELLS.cell("retry_cancelled", "protect.when(retry=)")
async def retry_cancelled() -> None:
    await cancelled_while_it_waits(protect.when(Boom, retry=3, delay=30.0)(Attempts(3).call))


@CELLS.cell("total_runs_out", "protect.limits(deadline=), protect.when(retry=)")
async def total_runs_out() -> object:
    waits = iter([0.001, 30.0])
    retried = protect.when(Boom, retry=3, delay=lambda _error: next(waits))(Attempts(3).call)
    return await protect.limits(deadline=0.1)(retried)()


@CELLS.cell("pipeline_fails", "protect.limits(deadline=), protect.when(retry=), CircuitBreaker")
async def pipeline_fails() -> object:
    guarded = resilix.CircuitBreaker()(Attempts(3).call)
    return await protect.limits(deadline=60)(protect.when(Boom, retry=3, delay=0.001)(guarded))()


@CELLS.cell("breaker_refuses_retry", "protect.when(retry=), CircuitBreaker")
async def breaker_refuses_retry() -> object:
    guarded = resilix.CircuitBreaker(failures=2)(Attempts(3).call)
    return await protect.when(Exception, retry=3, delay=0.001)(guarded)()


@CELLS.cell("bulkhead_refuses_retry", "protect.when(retry=), protect.bulkhead(wait=False)")
async def bulkhead_refuses_retry() -> object:
    twice = protect.when(Exception, retry=2, delay=0.05)
    return await the_place_is_taken(protect.bulkhead(1, wait=False), twice)


@CELLS.cell("fallback_survives", "protect.when(fallback=, log=)")
async def fallback_survives() -> object:
    async def other(_label: str) -> str:
        return "value"

    return await protect.when(Boom, fallback=other, log=warn)(do.fail)("operation")


@CELLS.cell("fallback_fails", "protect.when(fallback=[two])")
async def fallback_fails() -> object:
    async def first(_label: str) -> None:
        raise_("fallback")

    async def second(_label: str) -> None:
        raise_("next fallback")

    return await protect.when(Boom, fallback=[first, second])(do.fail)("operation")


@CELLS.cell("background_dropped", "spawn")
async def background_dropped() -> None:
    resilix.spawn(do.fail("background"))
    await asyncio.sleep(0.05)


@CELLS.cell("background_held", "spawn")
async def background_held() -> None:
    _held.append(resilix.spawn(do.fail("background")))
    await asyncio.sleep(0.05)


@CELLS.cell("background_shutdown", "spawn, shutdown_spawned")
async def background_shutdown() -> None:
    resilix.spawn(do.fail_when_stopped("first"))
    resilix.spawn(do.fail_when_stopped("second"))
    await asyncio.sleep(0.01)
    await resilix.shutdown_spawned()


@CELLS.cell("tasks_stopped", "spawn, shutdown_spawned")
async def tasks_stopped() -> None:
    await background_shutdown()


@CELLS.cell("executor_dropped", "protect.offload, spawn")
async def executor_dropped() -> None:
    @protect.offload()
    def call() -> None:
        raise_("thread")

    resilix.spawn(call())
    await asyncio.sleep(0.1)


@CELLS.cell("breaker_open", "CircuitBreaker")
async def breaker_open() -> object:
    guarded = resilix.CircuitBreaker(failures=2, reset_timeout=30)(Attempts(2).call)
    return await the_refusal(guarded, CircuitOpenError)
