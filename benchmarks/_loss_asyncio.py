"""The standard library's asyncio, as its own documentation has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from _loss_cells import Cells, Operations, got
from _loss_record import Boom, raise_

CELLS = Cells()
do = Operations(asyncio.sleep)


@CELLS.cell("same_tick", "TaskGroup")
async def same_tick() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(do.fail("first"))
        group.create_task(do.fail("second"))


@CELLS.cell("stopped_raise", "TaskGroup")
async def stopped_raise() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(do.fail_when_stopped("stopped"))
        group.create_task(do.fail_when_stopped("stopped"))
        group.create_task(do.fail("first", 0.01))


@CELLS.cell("body_and_child", "TaskGroup")
async def body_and_child() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(do.fail_when_stopped("child"))
        await asyncio.sleep(0.01)
        raise_("body")


@CELLS.cell("before_first_step", "TaskGroup")
async def before_first_step() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(do.fail_when_stopped("child"))
        raise_("body")


@CELLS.cell("nested_groups", "TaskGroup")
async def nested_groups() -> None:
    async with asyncio.TaskGroup() as outer:
        outer.create_task(do.fail("outer", 0.01))
        async with asyncio.TaskGroup() as inner:
            inner.create_task(do.fail("inner", 0.01))
            inner.create_task(do.fail_when_stopped("inner stopped"))


@CELLS.cell("child_exits", "TaskGroup")
async def child_exits() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(do.fail_when_stopped("sibling"))
        group.create_task(do.exit(0.01))


@CELLS.cell("child_interrupts", "TaskGroup")
async def child_interrupts() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(do.fail_when_stopped("sibling"))
        group.create_task(do.interrupt(0.01))


@CELLS.cell("swallowed_cancel", "TaskGroup")
async def swallowed_cancel() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(do.swallow_then_fail("swallower"))
        group.create_task(do.fail("first", 0.01))


@CELLS.cell("eager_child", "TaskGroup, eager_task_factory")
async def eager_child() -> None:
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    async with asyncio.TaskGroup() as group:
        group.create_task(do.fail_when_stopped("sibling"))
        group.create_task(do.fail("eager"))


@CELLS.cell("outside_cancel", "TaskGroup, Task.cancel")
async def outside_cancel() -> None:
    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(do.fail_when_stopped("first"))
            group.create_task(do.fail_when_stopped("second"))

    await _cancelled_from_outside(work())


@CELLS.cell("cancel_same_tick", "TaskGroup, Task.cancel")
async def cancel_same_tick() -> None:
    async def fail_and_cancel(caller: asyncio.Task[None]) -> None:
        await asyncio.sleep(0.01)
        caller.cancel()
        raise_("child")

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_and_cancel(caller))

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

    async with resource(), asyncio.TaskGroup() as group:
        group.create_task(do.fail("child"))


@CELLS.cell("gathered", "gather")
async def gathered() -> object:
    return await asyncio.gather(do.fail("first"), do.fail("second"))


@CELLS.cell("gathered_later", "gather")
async def gathered_later() -> None:
    try:
        await asyncio.gather(do.fail("first"), do.fail("second", 0.03))
    except Boom as error:  # handled: the program goes on
        got(error)
    await asyncio.sleep(0.1)


@CELLS.cell("gathered_cancel", "gather, Task.cancel")
async def gathered_cancel() -> None:
    async def work() -> None:
        await asyncio.gather(do.fail_when_stopped("first"), do.fail_when_stopped("second"))

    await _cancelled_from_outside(work())


@CELLS.cell("collected", "gather(return_exceptions=True)")
async def collected() -> object:
    return await asyncio.gather(do.fail("first"), do.succeed(), do.fail("second"), return_exceptions=True)


@CELLS.cell("collected_cut", "gather(return_exceptions=True), timeout")
async def collected_cut() -> object:
    async with asyncio.timeout(0.05):
        return await asyncio.gather(do.fail("first"), do.succeed(30), do.fail("second"), return_exceptions=True)


@CELLS.cell("all_to_the_end", "gather(return_exceptions=True)")
async def all_to_the_end() -> None:
    await asyncio.gather(do.fail("first"), do.succeed(), do.fail("second"), return_exceptions=True)


@CELLS.cell("batch", "gather(return_exceptions=True)")
async def batch() -> object:
    return await asyncio.gather(*map(do.fail_each_20th, range(1000)), return_exceptions=True)


@CELLS.cell("first_exception", "wait(FIRST_EXCEPTION), cancel, wait")
async def first_exception() -> object:
    tasks = [asyncio.create_task(do.fail("first", 0.01)), asyncio.create_task(do.fail_when_stopped("stopped"))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)
    return [task.result() for task in done]


@CELLS.cell("as_completed_left", "as_completed")
async def as_completed_left() -> None:
    jobs = [do.succeed(), do.fail("later", 0.03), do.fail_when_stopped("stopped")]
    for next_done in asyncio.as_completed(jobs):
        got(await next_done)
        break
    await asyncio.sleep(0.1)


@CELLS.cell("race_losers", "wait(FIRST_COMPLETED) until one has a value, cancel, wait")
async def race_losers() -> object:
    jobs = [do.fail("earlier"), do.succeed(0.02), do.fail_when_stopped("stopped")]
    pending: set[asyncio.Task[object]] = set(map(asyncio.create_task, jobs))
    winners: list[asyncio.Task[object]] = []
    while pending and not winners:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        got(*done)
        winners = [task for task in done if task.exception() is None]
    for task in pending:
        task.cancel()
    await asyncio.wait(pending)
    return winners[0].result()


@CELLS.cell("timeout_cleanup", "timeout")
async def timeout_cleanup() -> None:
    async with asyncio.timeout(0.01):
        await do.fail_when_stopped("cleanup")


@CELLS.cell("timeout_group", "timeout, TaskGroup")
async def timeout_group() -> None:
    async with asyncio.timeout(0.01), asyncio.TaskGroup() as group:
        group.create_task(do.fail_when_stopped("first"))
        group.create_task(do.fail_when_stopped("second"))


@CELLS.cell("timeout_gathered", "timeout, gather")
async def timeout_gathered() -> None:
    async with asyncio.timeout(0.01):
        await asyncio.gather(do.fail_when_stopped("first"), do.fail_when_stopped("second"))


@CELLS.cell("thread_outlives", "timeout, to_thread")
async def thread_outlives() -> None:
    try:
        async with asyncio.timeout(0.1):
            await asyncio.to_thread(_fail_in_thread, 0.3)
    except TimeoutError as error:
        got(error)
    await asyncio.sleep(0.5)


@CELLS.cell("shield_outlived", "wait_for, shield")
async def shield_outlived() -> None:
    task = asyncio.create_task(do.fail("shielded", 0.05))
    try:
        await asyncio.wait_for(asyncio.shield(task), 0.01)
    except TimeoutError as error:
        got(error)
    del task
    await asyncio.sleep(0.2)


@CELLS.cell("background_dropped", "create_task, a set, add_done_callback(discard)")
async def background_dropped() -> None:
    background = set()
    task = asyncio.create_task(do.fail("background"))
    background.add(task)
    task.add_done_callback(background.discard)
    del task
    await asyncio.sleep(0.05)


_held: list[asyncio.Task[object]] = []


@CELLS.cell("background_held", "create_task")
async def background_held() -> None:
    _held.append(asyncio.create_task(do.fail("background")))
    await asyncio.sleep(0.05)


@CELLS.cell("background_shutdown", "create_task, asyncio.run")
async def background_shutdown() -> None:
    _held.append(asyncio.create_task(do.fail_when_stopped("first")))
    _held.append(asyncio.create_task(do.fail_when_stopped("second")))
    await asyncio.sleep(0.01)


@CELLS.cell("tasks_stopped", "Task.cancel, gather(return_exceptions=True), as the Queue example does")
async def tasks_stopped() -> None:
    tasks = [asyncio.create_task(do.fail_when_stopped(label)) for label in ("first", "second")]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@CELLS.cell("thread_hands_over", "run_coroutine_threadsafe")
async def thread_hands_over() -> None:
    loop = asyncio.get_running_loop()

    def hand_over() -> None:
        asyncio.run_coroutine_threadsafe(do.fail("handed over"), loop)

    await asyncio.to_thread(hand_over)
    await asyncio.sleep(0.1)


@CELLS.cell("executor_dropped", "run_in_executor")
async def executor_dropped() -> None:
    asyncio.get_running_loop().run_in_executor(None, _fail_in_thread, 0.0)
    await asyncio.sleep(0.1)


@CELLS.cell("callback_fails", "create_task, add_done_callback")
async def callback_fails() -> None:
    task = asyncio.create_task(do.fail("task"))
    task.add_done_callback(_fail_in_callback)
    await task


@CELLS.cell("generator_abandoned", "async for, break")
async def generator_abandoned() -> None:
    async for _ in _numbers():
        break
    await asyncio.sleep(0.05)


@CELLS.cell("queue_producer", "Queue, create_task, wait_for")
async def queue_producer() -> None:
    queue: asyncio.Queue[str] = asyncio.Queue(1)
    producer = asyncio.create_task(do.fail("producer", 0.01))
    try:
        await asyncio.wait_for(queue.get(), 0.1)  # it would wait for ever
    finally:
        del producer


@CELLS.cell("queue_worker", "Queue, join, gather(return_exceptions=True), as the Queue example does")
async def queue_worker() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    for number in range(4):
        queue.put_nowait(number)

    async def worker() -> None:
        while True:
            number = await queue.get()
            try:
                await asyncio.sleep(0.01)
                if number == 0:
                    raise_("worker")
            finally:
                queue.task_done()

    tasks = [asyncio.create_task(worker()) for _ in range(2)]
    await queue.join()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@CELLS.cell("cleanups_fail", "contextlib.AsyncExitStack")
async def cleanups_fail() -> None:
    async with AsyncExitStack() as stack:
        for label in ("third", "second", "first"):
            stack.push_async_callback(do.fail, label)
        raise_("operation")


async def _cancelled_from_outside(work: Coroutine[Any, Any, None]) -> None:  # Any: what it yields to the loop
    task = asyncio.create_task(work)
    await asyncio.sleep(0.02)
    task.cancel()
    await task


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
