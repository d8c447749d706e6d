"""aiometer: many operations with a limit, on anyio's task groups."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import aiometer
from _loss_cells import Cells, Operations, got
from _loss_record import Boom

CELLS = Cells()
do = Operations(asyncio.sleep)


async def _call(operation: Callable[[], Awaitable[object]]) -> object:
    return await operation()


@CELLS.cell("same_tick", "run_on_each")
async def same_tick() -> None:
    await aiometer.run_on_each(_call, [partial(do.fail, "first"), partial(do.fail, "second")])


@CELLS.cell("stopped_raise", "run_on_each")
async def stopped_raise() -> None:
    stopped = partial(do.fail_when_stopped, "stopped")
    await aiometer.run_on_each(_call, [stopped, stopped, partial(do.fail, "first", 0.01)])


@CELLS.cell("child_exits", "run_on_each")
async def child_exits() -> None:
    await aiometer.run_on_each(_call, [partial(do.fail_when_stopped, "sibling"), partial(do.exit, 0.01)])


@CELLS.cell("child_interrupts", "run_on_each")
async def child_interrupts() -> None:
    await aiometer.run_on_each(_call, [partial(do.fail_when_stopped, "sibling"), partial(do.interrupt, 0.01)])


@CELLS.cell("swallowed_cancel", "run_on_each")
async def swallowed_cancel() -> None:
    await aiometer.run_on_each(_call, [partial(do.swallow_then_fail, "swallower"), partial(do.fail, "first", 0.01)])


@CELLS.cell("gathered", "run_all")
async def gathered() -> object:
    return await aiometer.run_all([partial(do.fail, "first"), partial(do.fail, "second")])


@CELLS.cell("gathered_later", "run_all")
async def gathered_later() -> None:
    try:
        await aiometer.run_all([partial(do.fail, "first"), partial(do.fail, "second", 0.03)])
    except (Boom, ExceptionGroup) as error:  # handled: the program goes on
        got(error)
    await asyncio.sleep(0.1)


@CELLS.cell("gathered_cancel", "run_all, Task.cancel")
async def gathered_cancel() -> None:
    async def work() -> None:
        await aiometer.run_all([partial(do.fail_when_stopped, "first"), partial(do.fail_when_stopped, "second")])

    task = asyncio.create_task(work())
    await asyncio.sleep(0.02)
    task.cancel()
    await task


@CELLS.cell("batch", "run_all(max_at_once=100)")
async def batch() -> object:
    return await aiometer.run_all([partial(do.fail_each_20th, number) for number in range(1000)], max_at_once=100)


@CELLS.cell("as_completed_left", "amap")
async def as_completed_left() -> None:
    jobs = [do.succeed, partial(do.fail, "later", 0.03), partial(do.fail_when_stopped, "stopped")]
    async with aiometer.amap(_call, jobs) as results:
        async for value in results:
            got(value)
            break
    await asyncio.sleep(0.1)


@CELLS.cell("race_losers", "run_any")
async def race_losers() -> object:
    jobs = [partial(do.fail, "earlier"), partial(do.succeed, 0.02), partial(do.fail_when_stopped, "stopped")]
    return await aiometer.run_any(jobs)


@CELLS.cell("race_all_fail", "run_any")
async def race_all_fail() -> object:
    return await aiometer.run_any(
        [partial(do.fail, "first"), partial(do.fail, "second", 0.01), partial(do.fail, "third", 0.02)]
    )


@CELLS.cell("timeout_gathered", "asyncio.timeout, run_all")
async def timeout_gathered() -> None:
    async with asyncio.timeout(0.01):
        await aiometer.run_all([partial(do.fail_when_stopped, "first"), partial(do.fail_when_stopped, "second")])
