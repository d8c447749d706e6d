"""anyio on its asyncio backend, in its own words throughout."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
from _loss_cells import Cells, Main, Operations, got
from _loss_record import Boom, raise_
from anyio.abc import TaskGroup
from anyio.from_thread import start_blocking_portal


def _run(main: Main) -> object:
    return anyio.run(main)


CELLS = Cells(_run)
do = Operations(anyio.sleep)


@CELLS.cell("same_tick", "create_task_group")
async def same_tick() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(do.fail, "first")
        group.start_soon(do.fail, "second")


@CELLS.cell("stopped_raise", "create_task_group")
async def stopped_raise() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(do.fail_when_stopped, "stopped")
        group.start_soon(do.fail_when_stopped, "stopped")
        group.start_soon(do.fail, "first", 0.01)


@CELLS.cell("body_and_child", "create_task_group")
async def body_and_child() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(do.fail_when_stopped, "child")
        await anyio.sleep(0.01)
        raise_("body")


@CELLS.cell("before_first_step", "create_task_group")
async def before_first_step() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(do.fail_when_stopped, "child")
        raise_("body")


@CELLS.cell("nested_groups", "create_task_group")
async def nested_groups() -> None:
    async with anyio.create_task_group() as outer:
        outer.start_soon(do.fail, "outer", 0.01)
        async with anyio.create_task_group() as inner:
            inner.start_soon(do.fail, "inner", 0.01)
            inner.start_soon(do.fail_when_stopped, "inner stopped")


@CELLS.cell("child_exits", "create_task_group")
async def child_exits() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(do.fail_when_stopped, "sibling")
        group.start_soon(do.exit, 0.01)


@CELLS.cell("child_interrupts", "create_task_group")
async def child_interrupts() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(do.fail_when_stopped, "sibling")
        group.start_soon(do.interrupt, 0.01)


@CELLS.cell("swallowed_cancel", "create_task_group")
async def swallowed_cancel() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(do.swallow_then_fail, "swallower")
        group.start_soon(do.fail, "first", 0.01)


@CELLS.cell("outside_cancel", "create_task_group, CancelScope.cancel")
async def outside_cancel() -> None:
    async def work() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(do.fail_when_stopped, "first")
            group.start_soon(do.fail_when_stopped, "second")

    await _cancelled_from_outside(work)


@CELLS.cell("cancel_same_tick", "create_task_group, CancelScope.cancel")
async def cancel_same_tick() -> None:
    async def fail_and_cancel(outer: TaskGroup) -> None:
        await anyio.sleep(0.01)
        outer.cancel_scope.cancel()
        raise_("child")

    async with anyio.create_task_group() as outer, anyio.create_task_group() as group:
        group.start_soon(fail_and_cancel, outer)


@CELLS.cell("exit_fails", "create_task_group inside of @asynccontextmanager")
async def exit_fails() -> None:
    @asynccontextmanager
    async def resource() -> AsyncIterator[None]:
        try:
            yield
        finally:
            raise_("exit")

    async with resource(), anyio.create_task_group() as group:
        group.start_soon(do.fail, "child")


@CELLS.cell("gathered", "gather")
async def gathered() -> object:
    return await anyio.gather(do.fail("first"), do.fail("second"))


@CELLS.cell("gathered_later", "gather")
async def gathered_later() -> None:
    try:
        await anyio.gather(do.fail("first"), do.fail("second", 0.03))
    except* Boom as errors:  # handled: the program goes on
        got(errors)
    await anyio.sleep(0.1)


@CELLS.cell("gathered_cancel", "gather, CancelScope.cancel")
async def gathered_cancel() -> None:
    async def work() -> None:
        await anyio.gather(do.fail_when_stopped("first"), do.fail_when_stopped("second"))

    await _cancelled_from_outside(work)


@CELLS.cell("batch", "amap")
async def batch() -> object:
    return await anyio.amap(do.fail_each_20th, range(1000))


@CELLS.cell("as_completed_left", "as_completed")
async def as_completed_left() -> None:
    jobs = [do.succeed(), do.fail("later", 0.03), do.fail_when_stopped("stopped")]
    async with anyio.as_completed(*jobs) as handles:
        async for handle in handles:
            got(handle.return_value)
            break
    await anyio.sleep(0.1)


@CELLS.cell("timeout_cleanup", "fail_after")
async def timeout_cleanup() -> None:
    with anyio.fail_after(0.01):
        await do.fail_when_stopped("cleanup")


@CELLS.cell("timeout_group", "fail_after, create_task_group")
async def timeout_group() -> None:
    with anyio.fail_after(0.01):
        async with anyio.create_task_group() as group:
            group.start_soon(do.fail_when_stopped, "first")
            group.start_soon(do.fail_when_stopped, "second")


@CELLS.cell("timeout_gathered", "fail_after, gather")
async def timeout_gathered() -> None:
    with anyio.fail_after(0.01):
        await anyio.gather(do.fail_when_stopped("first"), do.fail_when_stopped("second"))


@CELLS.cell("thread_outlives", "fail_after, to_thread.run_sync(abandon_on_cancel=True)")
async def thread_outlives() -> None:
    try:
        with anyio.fail_after(0.1):
            await anyio.to_thread.run_sync(_fail_in_thread, 0.3, abandon_on_cancel=True)
    except TimeoutError as error:
        got(error)
    await anyio.sleep(0.5)


@CELLS.cell("shield_outlived", "fail_after, CancelScope(shield=True)")
async def shield_outlived() -> None:
    with anyio.fail_after(0.01), anyio.CancelScope(shield=True):
        await do.fail("shielded", 0.05)


@CELLS.cell("tasks_stopped", "create_task_group, CancelScope.cancel")
async def tasks_stopped() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(do.fail_when_stopped, "first")
        group.start_soon(do.fail_when_stopped, "second")
        await anyio.sleep(0.01)
        group.cancel_scope.cancel()


@CELLS.cell("thread_hands_over", "BlockingPortal.start_task_soon")
async def thread_hands_over() -> None:
    def hand_over() -> None:
        with start_blocking_portal() as portal:
            portal.start_task_soon(do.fail, "handed over")

    await anyio.to_thread.run_sync(hand_over)


@CELLS.cell("executor_dropped", "create_task_group, to_thread.run_sync")
async def executor_dropped() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, _fail_in_thread, 0.0)


@CELLS.cell("generator_abandoned", "async for, break")
async def generator_abandoned() -> None:
    async for _ in _numbers():
        break
    await anyio.sleep(0.05)


@CELLS.cell("queue_producer", "create_memory_object_stream, create_task_group")
async def queue_producer() -> None:
    send, receive = anyio.create_memory_object_stream[str](1)

    async def produce() -> None:
        async with send:
            await do.fail("producer", 0.01)

    async with anyio.create_task_group() as group, receive:
        group.start_soon(produce)
        async for _ in receive:
            pass


@CELLS.cell("queue_worker", "create_memory_object_stream, create_task_group")
async def queue_worker() -> None:
    send, receive = anyio.create_memory_object_stream[int](4)

    async def worker() -> None:
        async with receive.clone() as numbers:
            async for number in numbers:
                await anyio.sleep(0.01)
                if number == 0:
                    raise_("worker")

    async with anyio.create_task_group() as group, send:
        for _ in range(2):
            group.start_soon(worker)
        for number in range(4):
            await send.send(number)
        receive.close()


@CELLS.cell("cleanups_fail", "contextlib.AsyncExitStack")
async def cleanups_fail() -> None:
    async with AsyncExitStack() as stack:
        for label in ("third", "second", "first"):
            stack.push_async_callback(do.fail, label)
        raise_("operation")


async def _cancelled_from_outside(
    work: Callable[[], Coroutine[Any, Any, None]],
) -> None:  # Any: what it yields to the loop
    async with anyio.create_task_group() as outer:
        outer.start_soon(work)
        await anyio.sleep(0.02)
        outer.cancel_scope.cancel()


def _fail_in_thread(after: float) -> None:
    time.sleep(after)
    raise_("thread")


async def _numbers() -> AsyncIterator[int]:
    try:
        yield 1
        yield 2
    finally:
        raise_("generator")
