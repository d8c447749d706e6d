"""Ways of an exception out of a task whose outermost coroutine has a handler that it passes."""
# ruff: noqa: SIM105  (written as people write it)

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from scenario import boom, expect, log, right, settle

kept: list[object] = []


async def cleans_up() -> None:
    try:
        raise ValueError("x")
    finally:
        print("cleaned up")


async def converts() -> None:
    try:
        {}["x"]
    except KeyError:
        raise ValueError("x")  # noqa: B904


async def converts_from() -> None:
    try:
        {}["x"]
    except KeyError as error:
        await asyncio.sleep(0)
        raise ValueError("x") from error


async def converts_from_none() -> None:
    try:
        {}["x"]
    except KeyError:
        raise ValueError("x") from None


async def raises_on() -> None:
    try:
        await boom()
    except ValueError:
        raise


async def expects_another() -> None:
    try:
        await boom()
    except OSError:
        pass


async def holds_a_lock() -> None:
    async with asyncio.Lock():
        await boom()


async def has_a_deadline() -> None:
    async with asyncio.timeout(1):
        await boom()


async def fails_after_another_was_meant() -> None:
    try:
        {}["x"]
    except KeyError:
        pass
    await boom()


async def fails_in_finally() -> None:
    try:
        await asyncio.sleep(0)
    finally:
        await boom()


async def fails_in_finally_after_another() -> None:
    try:
        {}["x"]
    finally:
        await boom()


async def fails_when_cancelled() -> None:
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        raise ValueError("x")  # noqa: B904


async def dropped(coroutine: Callable[[], Coroutine[None, None, None]]) -> None:
    try:
        await asyncio.gather(coroutine(), coroutine())
    except ValueError:
        pass
    await settle()


async def taken(coroutine: Callable[[], Coroutine[None, None, None]]) -> None:
    tasks = [asyncio.create_task(coroutine()) for _ in range(2)]
    for task in tasks:
        try:
            await task
        except ValueError:
            pass


@expect("absorbed")
async def finally_and_dropped() -> None:
    await dropped(cleans_up)


@right
async def finally_and_taken() -> None:
    await taken(cleans_up)


@expect("absorbed")
async def converted_and_dropped() -> None:
    await dropped(converts)


@right
async def converted_and_taken() -> None:
    await taken(converts)


@expect("absorbed")
async def converted_from_and_dropped() -> None:
    await dropped(converts_from)


@right
async def converted_from_and_taken() -> None:
    await taken(converts_from)


@expect("absorbed")
async def converted_from_none_and_dropped() -> None:
    await dropped(converts_from_none)


@right
async def converted_from_none_and_taken() -> None:
    await taken(converts_from_none)


@expect("absorbed")
async def raised_on_and_dropped() -> None:
    await dropped(raises_on)


@right
async def raised_on_and_taken() -> None:
    await taken(raises_on)


@expect("absorbed")
async def past_another_handler_and_dropped() -> None:
    await dropped(expects_another)


@right
async def past_another_handler_and_taken() -> None:
    await taken(expects_another)


@expect("absorbed")
async def out_of_a_lock_and_dropped() -> None:
    await dropped(holds_a_lock)


@right
async def out_of_a_lock_and_taken() -> None:
    await taken(holds_a_lock)


@expect("absorbed")
async def out_of_a_deadline_and_dropped() -> None:
    await dropped(has_a_deadline)


@right
async def out_of_a_deadline_and_taken() -> None:
    await taken(has_a_deadline)


@expect("absorbed")
async def after_one_that_was_meant_and_dropped() -> None:
    await dropped(fails_after_another_was_meant)


@right
async def after_one_that_was_meant_and_taken() -> None:
    await taken(fails_after_another_was_meant)


@expect("absorbed")
async def in_finally_and_dropped() -> None:
    await dropped(fails_in_finally)


@right
async def in_finally_and_taken() -> None:
    await taken(fails_in_finally)


@expect("absorbed")
async def in_finally_after_another_and_dropped() -> None:
    await dropped(fails_in_finally_after_another)


@right
async def in_finally_after_another_and_taken() -> None:
    await taken(fails_in_finally_after_another)


@expect("returned", "returned")
async def finally_and_returned() -> None:
    await asyncio.gather(cleans_up(), cleans_up(), return_exceptions=True)


@right
async def finally_and_returned_and_logged() -> None:
    for result in await asyncio.gather(cleans_up(), cleans_up(), return_exceptions=True):
        if isinstance(result, Exception):
            log.error("failed", exc_info=result)


@expect("absorbed")
async def finally_and_a_callback_that_drops() -> None:
    asyncio.create_task(raises_on()).add_done_callback(lambda task: task.exception())
    await settle()


@right
async def finally_and_a_callback_that_tells() -> None:
    asyncio.create_task(raises_on()).add_done_callback(lambda task: print(task.exception()))
    await settle()


@expect("undelivered")
async def finally_and_held_at_the_end() -> None:
    kept.append(asyncio.create_task(cleans_up()))
    await settle()


@right
async def finally_and_held_and_read() -> None:
    task = asyncio.create_task(cleans_up())
    kept.append(task)
    try:
        await task
    except ValueError:
        pass


@expect("lost")
async def finally_and_never_asked() -> None:
    task = asyncio.create_task(cleans_up())
    await settle()
    del task


@expect("absorbed")
async def cleanups_that_fail_at_shutdown_and_are_gathered() -> None:
    tasks = [asyncio.create_task(fails_when_cancelled()) for _ in range(2)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    try:
        await asyncio.gather(*tasks)
    except ValueError:
        pass
    await settle()


@right
async def cleanups_that_fail_at_shutdown_and_are_taken() -> None:
    tasks = [asyncio.create_task(fails_when_cancelled()) for _ in range(2)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    for task in tasks:
        try:
            await task
        except ValueError:
            pass


@right
async def finally_and_never_asked_but_awaited() -> None:
    task = asyncio.create_task(cleans_up())
    await settle()
    try:
        await task
    except ValueError:
        pass
