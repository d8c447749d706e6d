"""Cancellations that were asked for, and who took them."""
# ruff: noqa: SIM105, ASYNC110  (written as people write it)

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine

from scenario import expect, right, settle


async def cancel(work: Coroutine[None, None, None], ready: asyncio.Event | None = None) -> None:
    """Cancel it once it is ready, give it time to go on, then until it ends."""
    task = asyncio.create_task(work)
    await settle()
    if ready is not None:
        await ready.wait()
    task.cancel()
    await settle()
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


@expect("swallowed cancellation")
async def loop_that_goes_on() -> None:
    async def work() -> None:
        asked = 0
        while not asked:
            try:
                while True:
                    await asyncio.sleep(0.002)
            except asyncio.CancelledError:  # ends here
                if asked:
                    raise
                asked += 1
        await asyncio.sleep(1)

    await cancel(work())


@right
async def loop_that_ends() -> None:
    async def work() -> None:
        while True:
            try:
                await asyncio.sleep(0.002)
            except asyncio.CancelledError:
                break

    await cancel(work())


@expect("swallowed cancellation")
async def suppressed_in_a_helper() -> None:
    async def helper() -> None:
        with contextlib.suppress(asyncio.CancelledError):  # ends here
            await asyncio.sleep(1)

    async def work() -> None:
        await helper()
        await asyncio.sleep(1)

    await cancel(work())


@right
async def tidied_up_at_the_end_of_the_task() -> None:
    async def work() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    await cancel(work())


@expect("swallowed cancellation")
async def timeout_that_never_comes_out() -> None:
    async def helper() -> None:
        try:
            await asyncio.sleep(1)
        except BaseException:  # ends here
            pass

    async with asyncio.timeout(0.001):
        await helper()
    await settle()


@right
async def timeout_that_comes_out() -> None:
    async def helper() -> None:
        try:
            await asyncio.sleep(1)
        except BaseException:
            print("cleaning up")
            raise

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.001):
            await helper()
    await settle()


@expect("swallowed cancellation")
async def waiting_for_what_was_cancelled_eats_ones_own() -> None:
    async def stop(task: asyncio.Task[None]) -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # ends here
            await task

    async def stubborn() -> None:
        try:
            await asyncio.sleep(1)
        finally:
            await asyncio.sleep(0.03)

    async def work() -> None:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await stop(task)
        await asyncio.sleep(1)

    await cancel(work())


@right
async def waiting_for_what_was_cancelled() -> None:
    task = asyncio.create_task(asyncio.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.001)


@expect("swallowed cancellation")
async def handler_that_awaits_and_then_goes_on() -> None:
    async def work() -> None:
        for _ in range(2):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:  # ends here
                await asyncio.sleep(0.002)

    await cancel(work())


@right
async def handler_that_awaits_and_then_raises() -> None:
    async def work() -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            await asyncio.sleep(0.002)
            await asyncio.sleep(0.002)
            raise

    await cancel(work())


@expect("swallowed cancellation")
async def raised_on_within_its_handler_and_swallowed_there() -> None:
    async def helper(held: bool) -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            try:
                if held:
                    raise
            except asyncio.CancelledError:  # ends here
                pass

    async def work() -> None:
        await helper(held=True)
        await asyncio.sleep(1)

    await cancel(work())


@right
async def raised_on_if_somebody_asked() -> None:
    async def helper() -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise

    async def work() -> None:
        await helper()
        await asyncio.sleep(1)

    await cancel(work())


@expect("swallowed cancellation")
async def return_in_finally_of_a_helper() -> None:
    async def helper() -> int:
        try:
            await asyncio.sleep(1)
        finally:
            return 1  # noqa: B012  # ends here

    async def work() -> None:
        await helper()
        await asyncio.sleep(1)

    await cancel(work())


@right
async def request_that_is_taken_back() -> None:
    async def helper() -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()

    async def work() -> None:
        await helper()
        await asyncio.sleep(0.02)

    await cancel(work())


class Scope:
    """What a group with the cancellation is raised through, as ``anyio.CancelScope``."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> bool:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        return True


@right
async def raised_in_a_group_through_what_takes_the_request_back() -> None:
    async def helper() -> None:
        kept: list[BaseException] = []
        with Scope():
            try:
                await asyncio.sleep(1)
            except BaseException as error:
                kept.append(error)
            raise BaseExceptionGroup("x", kept)
        kept.clear()

    async def work() -> None:
        await helper()
        await asyncio.sleep(0.02)

    await cancel(work())


@expect("swallowed cancellation")
async def kept_in_a_list_that_nobody_raises() -> None:
    async def helper() -> None:
        kept: list[BaseException] = []
        with Scope():
            try:
                await asyncio.sleep(1)
            except BaseException as error:  # ends here
                kept.append(error)
        kept.clear()

    async def work() -> None:
        await helper()
        await asyncio.sleep(0.02)

    await cancel(work())


@right
async def task_group_that_cancels_itself() -> None:
    async def fail() -> None:
        await asyncio.sleep(0.001)
        raise ValueError("x")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await asyncio.sleep(1)
    except* ValueError:
        pass
    await settle()


class Part:
    """Of a program that is stopped: it cancels a task of its own and waits for that."""

    def __init__(self) -> None:
        self.task = asyncio.create_task(asyncio.sleep(1))

    async def stop(self) -> None:
        self.task.cancel()
        try:
            await self.task
        except asyncio.CancelledError:
            pass


@right
async def tidying_up_waits_for_what_it_cancelled() -> None:
    async def work() -> None:
        part = Part()
        try:
            await asyncio.sleep(1)
        finally:
            await part.stop()
            await asyncio.sleep(0.002)

    async def outermost() -> None:
        await work()

    await cancel(outermost())


@right
async def tidying_up_suppresses_what_it_cancelled() -> None:
    async def work() -> None:
        part = Part()
        try:
            await asyncio.sleep(1)
        finally:
            part.task.cancel()
            try:
                {}["x"]
            except KeyError:
                with contextlib.suppress(asyncio.CancelledError):
                    await part.task
            await asyncio.sleep(0.002)

    async def outermost() -> None:
        await work()

    await cancel(outermost())


@right
async def stack_that_stops_what_it_cancels() -> None:
    async def work() -> None:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.sleep, 0.002)
            stack.push_async_callback(Part().stop)
            stack.enter_context(contextlib.suppress(asyncio.InvalidStateError))
            await asyncio.sleep(1)

    async def outermost() -> None:
        await work()

    await cancel(outermost())


@right
async def handler_that_stops_another_and_then_raises() -> None:
    async def work() -> None:
        part = Part()
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            await part.stop()
            await asyncio.sleep(0.002)
            raise

    async def outermost() -> None:
        await work()

    await cancel(outermost())


@expect("swallowed cancellation")
async def handler_that_stops_another_and_goes_on() -> None:
    async def work() -> None:
        part = Part()
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:  # ends here
            await part.stop()

    async def outermost() -> None:
        await work()
        await asyncio.sleep(0.5)

    await cancel(outermost())


@expect("swallowed cancellation")
async def ones_own_is_eaten_by_who_handles_anothers() -> None:
    ready = asyncio.Event()

    async def work() -> None:
        other = asyncio.create_task(asyncio.sleep(1))
        await asyncio.sleep(0)
        other.cancel()
        try:
            await other
        except asyncio.CancelledError:
            ready.set()
            with contextlib.suppress(asyncio.CancelledError):  # ends here
                await asyncio.sleep(1)

    async def outermost() -> None:
        await work()
        await asyncio.sleep(1)

    await cancel(outermost(), ready)


@expect("swallowed cancellation")
async def ones_own_replaced_by_anothers_and_then_eaten() -> None:
    async def helper() -> None:
        part = Part()
        try:
            await asyncio.sleep(1)
        finally:
            part.task.cancel()
            await part.task

    async def work() -> None:
        with contextlib.suppress(asyncio.CancelledError):  # ends here
            await helper()

    async def outermost() -> None:
        await work()
        await asyncio.sleep(1)

    await cancel(outermost())
