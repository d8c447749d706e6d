"""
aiotools: TaskScope and what is built on it.

Its TaskGroup is deprecated since 2.0. A TaskScope gives every child's error to the loop's exception handler at once,
and does not stop its siblings.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiotools
from _loss_cells import Cells, Operations, got
from _loss_record import raise_

CELLS = Cells()
do = Operations(asyncio.sleep)


@CELLS.cell("same_tick", "TaskScope")
async def same_tick() -> None:
    async with aiotools.TaskScope() as scope:
        scope.create_task(do.fail("first"))
        scope.create_task(do.fail("second"))


@CELLS.cell("body_and_child", "TaskScope")
async def body_and_child() -> None:
    async with aiotools.TaskScope() as scope:
        scope.create_task(do.fail_when_stopped("child"))
        await asyncio.sleep(0.01)
        raise_("body")


@CELLS.cell("before_first_step", "TaskScope")
async def before_first_step() -> None:
    async with aiotools.TaskScope() as scope:
        scope.create_task(do.fail_when_stopped("child"))
        raise_("body")


@CELLS.cell("nested_groups", "TaskScope")
async def nested_groups() -> None:
    async with aiotools.TaskScope() as outer:
        outer.create_task(do.fail("outer", 0.01))
        async with aiotools.TaskScope() as inner:
            inner.create_task(do.fail("inner", 0.01))
            inner.create_task(do.fail("inner second", 0.02))


@CELLS.cell("child_exits", "TaskScope")
async def child_exits() -> None:
    async with aiotools.TaskScope() as scope:
        scope.create_task(do.fail_when_stopped("sibling"))
        scope.create_task(do.exit(0.01))


@CELLS.cell("child_interrupts", "TaskScope")
async def child_interrupts() -> None:
    async with aiotools.TaskScope() as scope:
        scope.create_task(do.fail_when_stopped("sibling"))
        scope.create_task(do.interrupt(0.01))


@CELLS.cell("outside_cancel", "TaskScope, cancel_and_wait")
async def outside_cancel() -> None:
    async def work() -> None:
        async with aiotools.TaskScope() as scope:
            scope.create_task(do.fail_when_stopped("first"))
            scope.create_task(do.fail_when_stopped("second"))

    await _cancelled_from_outside(work())


@CELLS.cell("cancel_same_tick", "TaskScope, Task.cancel")
async def cancel_same_tick() -> None:
    async def fail_and_cancel(caller: asyncio.Task[None]) -> None:
        await asyncio.sleep(0.01)
        caller.cancel()
        raise_("child")

    async def work() -> None:
        async with aiotools.TaskScope() as scope:
            scope.create_task(fail_and_cancel(caller))

    caller = asyncio.create_task(work())
    await caller


@CELLS.cell("exit_fails", "TaskScope inside of @asynccontextmanager")
async def exit_fails() -> None:
    @asynccontextmanager
    async def resource() -> AsyncIterator[None]:
        try:
            yield
        finally:
            raise_("exit")

    async with resource(), aiotools.TaskScope() as scope:
        scope.create_task(do.fail("child"))


@CELLS.cell("gathered", "gather_safe")
async def gathered() -> object:
    return await aiotools.gather_safe([do.fail("first"), do.fail("second")])


@CELLS.cell("gathered_later", "gather_safe")
async def gathered_later() -> object:
    return await aiotools.gather_safe([do.fail("first"), do.fail("second", 0.03)])


@CELLS.cell("gathered_cancel", "gather_safe, cancel_and_wait")
async def gathered_cancel() -> None:
    async def work() -> None:
        await aiotools.gather_safe([do.fail_when_stopped("first"), do.fail_when_stopped("second")])

    await _cancelled_from_outside(work())


@CELLS.cell("collected", "gather_safe")
async def collected() -> object:
    return await aiotools.gather_safe([do.fail("first"), do.succeed(), do.fail("second")])


@CELLS.cell("collected_cut", "gather_safe, timeout")
async def collected_cut() -> object:
    async with aiotools.timeout(0.05):
        return await aiotools.gather_safe([do.fail("first"), do.succeed(30), do.fail("second")])


@CELLS.cell("all_to_the_end", "TaskScope")
async def all_to_the_end() -> None:
    async with aiotools.TaskScope() as scope:
        scope.create_task(do.fail("first"))
        scope.create_task(do.succeed())
        scope.create_task(do.fail("second"))


@CELLS.cell("batch", "gather_safe")
async def batch() -> object:
    return await aiotools.gather_safe(map(do.fail_each_20th, range(1000)))


@CELLS.cell("as_completed_left", "as_completed_safe, aclosing")
async def as_completed_left() -> None:
    jobs = [do.succeed(), do.fail("later", 0.03), do.fail_when_stopped("stopped")]
    async with aiotools.aclosing(aiotools.as_completed_safe(jobs)) as results:
        async for result in results:
            got(await result)
            break
    await asyncio.sleep(0.1)


@CELLS.cell("race_losers", "race(continue_on_error=True)")
async def race_losers() -> object:
    jobs = [do.fail("earlier"), do.succeed(0.02), do.fail_when_stopped("stopped")]
    return await aiotools.race(jobs, continue_on_error=True)


@CELLS.cell("race_all_fail", "race(continue_on_error=True)")
async def race_all_fail() -> object:
    jobs = [do.fail("first"), do.fail("second", 0.01), do.fail("third", 0.02)]
    return await aiotools.race(jobs, continue_on_error=True)


@CELLS.cell("timeout_cleanup", "timeout")
async def timeout_cleanup() -> None:
    async with aiotools.timeout(0.01):
        await do.fail_when_stopped("cleanup")


@CELLS.cell("timeout_group", "TaskScope(timeout=)")
async def timeout_group() -> None:
    async with aiotools.TaskScope(timeout=0.01) as scope:
        scope.create_task(do.fail_when_stopped("first"))
        scope.create_task(do.fail_when_stopped("second"))


@CELLS.cell("timeout_gathered", "timeout, gather_safe")
async def timeout_gathered() -> None:
    async with aiotools.timeout(0.01):
        await aiotools.gather_safe([do.fail_when_stopped("first"), do.fail_when_stopped("second")])


@CELLS.cell("shield_outlived", "timeout, ShieldScope")
async def shield_outlived() -> None:
    try:
        async with aiotools.timeout(0.01), aiotools.ShieldScope():
            await do.fail("shielded", 0.05)
    except TimeoutError as error:
        got(error)
    await asyncio.sleep(0.1)


@CELLS.cell("background_dropped", "TaskContext")
async def background_dropped() -> None:
    context = aiotools.TaskContext()
    context.create_task(do.fail("background"))
    await asyncio.sleep(0.05)
    await context.aclose()


@CELLS.cell("background_shutdown", "TaskContext.aclose")
async def background_shutdown() -> None:
    context = aiotools.TaskContext()
    context.create_task(do.fail_when_stopped("first"))
    context.create_task(do.fail_when_stopped("second"))
    await asyncio.sleep(0.01)
    await context.aclose()


@CELLS.cell("tasks_stopped", "cancel_and_wait of both")
async def tasks_stopped() -> None:
    tasks = [asyncio.create_task(do.fail_when_stopped(label)) for label in ("first", "second")]
    await asyncio.sleep(0.01)
    await aiotools.cancel_and_wait(tasks)


async def _cancelled_from_outside(work: Coroutine[Any, Any, None]) -> None:  # Any: what it yields to the loop
    task = asyncio.create_task(work)
    await asyncio.sleep(0.02)
    await aiotools.cancel_and_wait(task)
