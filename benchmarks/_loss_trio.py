"""trio, as its own documentation has it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import trio
from _loss_cells import Cells, Main, Operations, got
from _loss_record import raise_


def _run(main: Main) -> object:
    return trio.run(main)


CELLS = Cells(_run)
do = Operations(trio.sleep)


@CELLS.cell("same_tick", "open_nursery")
async def same_tick() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(do.fail, "first")
        nursery.start_soon(do.fail, "second")


@CELLS.cell("stopped_raise", "open_nursery")
async def stopped_raise() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(do.fail_when_stopped, "stopped")
        nursery.start_soon(do.fail_when_stopped, "stopped")
        nursery.start_soon(do.fail, "first", 0.01)


@CELLS.cell("body_and_child", "open_nursery")
async def body_and_child() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(do.fail_when_stopped, "child")
        await trio.sleep(0.01)
        raise_("body")


@CELLS.cell("before_first_step", "open_nursery")
async def before_first_step() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(do.fail_when_stopped, "child")
        raise_("body")


@CELLS.cell("nested_groups", "open_nursery")
async def nested_groups() -> None:
    async with trio.open_nursery() as outer:
        outer.start_soon(do.fail, "outer", 0.01)
        async with trio.open_nursery() as inner:
            inner.start_soon(do.fail, "inner", 0.01)
            inner.start_soon(do.fail_when_stopped, "inner stopped")


@CELLS.cell("child_exits", "open_nursery")
async def child_exits() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(do.fail_when_stopped, "sibling")
        nursery.start_soon(do.exit, 0.01)


@CELLS.cell("child_interrupts", "open_nursery")
async def child_interrupts() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(do.fail_when_stopped, "sibling")
        nursery.start_soon(do.interrupt, 0.01)


@CELLS.cell("swallowed_cancel", "open_nursery")
async def swallowed_cancel() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(do.swallow_then_fail, "swallower")
        nursery.start_soon(do.fail, "first", 0.01)


@CELLS.cell("outside_cancel", "open_nursery, CancelScope.cancel")
async def outside_cancel() -> None:
    async def work() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(do.fail_when_stopped, "first")
            nursery.start_soon(do.fail_when_stopped, "second")

    await _cancelled_from_outside(work)


@CELLS.cell("cancel_same_tick", "open_nursery, CancelScope.cancel")
async def cancel_same_tick() -> None:
    async def fail_and_cancel(outer: trio.Nursery) -> None:
        await trio.sleep(0.01)
        outer.cancel_scope.cancel()
        raise_("child")

    async with trio.open_nursery() as outer, trio.open_nursery() as nursery:
        nursery.start_soon(fail_and_cancel, outer)


@CELLS.cell("exit_fails", "open_nursery inside of @asynccontextmanager")
async def exit_fails() -> None:
    @asynccontextmanager
    async def resource() -> AsyncIterator[None]:
        try:
            yield
        finally:
            raise_("exit")

    async with resource(), trio.open_nursery() as nursery:
        nursery.start_soon(do.fail, "child")


@CELLS.cell("timeout_cleanup", "fail_after")
async def timeout_cleanup() -> None:
    with trio.fail_after(0.01):
        await do.fail_when_stopped("cleanup")


@CELLS.cell("timeout_group", "fail_after, open_nursery")
async def timeout_group() -> None:
    with trio.fail_after(0.01):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(do.fail_when_stopped, "first")
            nursery.start_soon(do.fail_when_stopped, "second")


@CELLS.cell("thread_outlives", "fail_after, to_thread.run_sync(abandon_on_cancel=True)")
async def thread_outlives() -> None:
    try:
        with trio.fail_after(0.1):
            await trio.to_thread.run_sync(_fail_in_thread, 0.3, abandon_on_cancel=True)
    except trio.TooSlowError as error:
        got(error)
    await trio.sleep(0.5)


@CELLS.cell("shield_outlived", "fail_after, CancelScope(shield=True)")
async def shield_outlived() -> None:
    with trio.fail_after(0.01), trio.CancelScope(shield=True):
        await do.fail("shielded", 0.05)


@CELLS.cell("tasks_stopped", "open_nursery, CancelScope.cancel")
async def tasks_stopped() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(do.fail_when_stopped, "first")
        nursery.start_soon(do.fail_when_stopped, "second")
        await trio.sleep(0.01)
        nursery.cancel_scope.cancel()


@CELLS.cell("executor_dropped", "open_nursery, to_thread.run_sync")
async def executor_dropped() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, _fail_in_thread, 0.0)


@CELLS.cell("generator_abandoned", "async for, break")
async def generator_abandoned() -> None:
    async for _ in _numbers():
        break
    await trio.sleep(0.05)


@CELLS.cell("queue_producer", "open_memory_channel, open_nursery")
async def queue_producer() -> None:
    send, receive = trio.open_memory_channel[str](1)

    async def produce() -> None:
        async with send:
            await do.fail("producer", 0.01)

    async with trio.open_nursery() as nursery, receive:
        nursery.start_soon(produce)
        async for _ in receive:
            pass


@CELLS.cell("queue_worker", "open_memory_channel, open_nursery")
async def queue_worker() -> None:
    send, receive = trio.open_memory_channel[int](4)

    async def worker() -> None:
        async with receive.clone() as numbers:
            async for number in numbers:
                await trio.sleep(0.01)
                if number == 0:
                    raise_("worker")

    async with trio.open_nursery() as nursery, send:
        for _ in range(2):
            nursery.start_soon(worker)
        for number in range(4):
            await send.send(number)
        await receive.aclose()


@CELLS.cell("cleanups_fail", "contextlib.AsyncExitStack")
async def cleanups_fail() -> None:
    async with AsyncExitStack() as stack:
        for label in ("third", "second", "first"):
            stack.push_async_callback(do.fail, label)
        raise_("operation")


async def _cancelled_from_outside(
    work: Callable[[], Coroutine[Any, Any, None]],
) -> None:  # Any: what it yields to the loop
    async with trio.open_nursery() as outer:
        outer.start_soon(work)
        await trio.sleep(0.02)
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
