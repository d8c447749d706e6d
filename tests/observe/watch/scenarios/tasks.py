"""Ways of an exception out of a task."""
# ruff: noqa: SIM105  (written as people write it)

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc

from scenario import boom, expect, log, right, settle

kept: list[object] = []


@expect("lost")
async def task_that_nobody_asks() -> None:
    task = asyncio.create_task(boom())
    await settle()
    del task


@right
async def task_that_is_awaited() -> None:
    task = asyncio.create_task(boom())
    try:
        await task
    except ValueError:
        pass


@expect("lost")
async def task_in_a_set_that_forgets_it() -> None:
    tasks: set[asyncio.Task[None]] = set()
    task = asyncio.create_task(boom(0.001))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    del task
    await settle()


@right
async def task_whose_callback_logs() -> None:
    def ended(task: asyncio.Task[None]) -> None:
        log.error("it failed", exc_info=task.exception())

    asyncio.create_task(boom(0.001)).add_done_callback(ended)
    await settle()


@expect("absorbed")
async def callback_that_asks_and_drops() -> None:
    asyncio.create_task(boom(0.001)).add_done_callback(lambda task: task.exception())
    await settle()


@expect("absorbed")
async def callback_that_asks_whether() -> None:
    def ended(task: asyncio.Task[None]) -> None:
        if task.exception() is not None:
            kept.append("it failed")

    asyncio.create_task(boom(0.001)).add_done_callback(ended)
    await settle()


@right
async def callback_that_tells_another() -> None:
    def ended(task: asyncio.Task[None]) -> None:
        print(task.exception())

    asyncio.create_task(boom(0.001)).add_done_callback(ended)
    await settle()


@right
async def callback_that_tells_another_beside_one_who_drops_it() -> None:
    def ended(task: asyncio.Task[None]) -> None:
        error = task.exception()
        print(error)

    task = asyncio.create_task(boom(0.001))
    task.add_done_callback(ended)
    try:
        await task
    except Exception:
        pass


@right
async def callback_with_a_handler_that_tells_another() -> None:
    def ended(task: asyncio.Task[None]) -> None:
        try:
            task.result()
        except Exception as error:
            print(error)

    asyncio.create_task(boom(0.001)).add_done_callback(ended)
    await settle()


@expect("swallowed")
async def callback_with_a_handler_that_drops() -> None:
    def ended(task: asyncio.Task[None]) -> None:
        try:
            task.result()
        except Exception:  # ends here
            pass

    asyncio.create_task(boom(0.001)).add_done_callback(ended)
    await settle()


@right
async def callback_that_raises_it() -> None:
    asyncio.create_task(boom(0.001)).add_done_callback(lambda task: task.result())
    await settle()


@expect("undelivered")
async def task_that_is_held_at_the_end() -> None:
    kept.append(asyncio.create_task(boom()))
    await settle()


@right
async def held_task_that_was_read() -> None:
    task = asyncio.create_task(boom())
    kept.append(task)
    with contextlib.suppress(ValueError):
        await task


@expect("absorbed")
async def second_error_of_a_gather() -> None:
    try:
        await asyncio.gather(boom(), boom())
    except ValueError:
        pass


@right
async def gather_whose_errors_are_raised_together() -> None:
    results = await asyncio.gather(boom(), boom(), return_exceptions=True)
    try:
        raise ExceptionGroup("both", [result for result in results if isinstance(result, Exception)])
    except* ValueError:
        pass


@expect("returned", "returned")
async def gather_that_returns_errors_as_values() -> None:
    await asyncio.gather(boom(), boom(), return_exceptions=True)


@right
async def gather_whose_values_are_logged() -> None:
    for result in await asyncio.gather(boom(), boom(), return_exceptions=True):
        if isinstance(result, Exception):
            log.error("failed", exc_info=result)


@expect("returned")
async def wait_and_exception() -> None:
    done, _ = await asyncio.wait([asyncio.create_task(boom(0.001))])
    for task in done:
        task.exception()


@right
async def wait_and_result() -> None:
    done, _ = await asyncio.wait([asyncio.create_task(boom(0.001))])
    for task in done:
        with contextlib.suppress(ValueError):
            task.result()


@expect("lost")
async def wait_that_nobody_reads() -> None:
    await asyncio.wait([asyncio.create_task(boom(0.001))])


@right
async def wait_that_is_awaited_after() -> None:
    done, _ = await asyncio.wait([asyncio.create_task(boom(0.001))])
    with contextlib.suppress(ValueError):
        await done.pop()


@expect("lost")
async def as_completed_left_early() -> None:
    async def fine() -> int:
        return 1

    for first in asyncio.as_completed([fine(), boom(0.001)]):
        await first
        break
    await settle()


@right
async def as_completed_to_the_end() -> None:
    for one in asyncio.as_completed([boom(), boom(0.001)]):
        with contextlib.suppress(ValueError):
            await one


@expect("lost")
async def shield_whose_waiter_is_gone() -> None:
    task = asyncio.create_task(boom(0.02))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.005):
            await asyncio.shield(task)
    await asyncio.sleep(0.02)
    await settle()


@right
async def shield_that_is_awaited_after() -> None:
    task = asyncio.create_task(boom(0.02))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.005):
            await asyncio.shield(task)
    with contextlib.suppress(ValueError):
        await task


@expect("swallowed")
async def wait_for_swallowed() -> None:
    try:
        await asyncio.wait_for(boom(), 1)
    except Exception:  # ends here
        pass


@right
async def wait_for_meant() -> None:
    try:
        await asyncio.wait_for(boom(), 1)
    except ValueError:
        pass


@expect("lost")
async def future_that_nobody_asks() -> None:
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("x"))
    del future


@right
async def future_that_is_awaited() -> None:
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("x"))
    with contextlib.suppress(ValueError):
        await future


@expect("swallowed")
async def swallowed_in_a_task_below() -> None:
    async def below() -> None:
        try:
            await asyncio.create_task(boom())
        except Exception:  # ends here
            pass

    await asyncio.create_task(below())


@right
async def raised_through_three_tasks() -> None:
    async def below() -> None:
        await asyncio.create_task(boom())

    async def middle() -> None:
        await asyncio.create_task(below())

    try:
        await asyncio.create_task(middle())
    except ValueError:
        pass


def drop(future: asyncio.Future[None]) -> None:
    with contextlib.suppress(Exception):
        future.result()


@right
async def converted_for_one_who_waits_and_dropped_for_another() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def waits() -> None:
        try:
            await future
        except ValueError as error:
            raise LookupError("y") from error

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    future.add_done_callback(drop)
    future.set_exception(ValueError("x"))
    with contextlib.suppress(LookupError):
        await task


@expect("swallowed")
async def dropped_for_the_only_one_who_waited() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("x"))
    with contextlib.suppress(Exception):  # ends here
        await future


@right
async def callback_that_hands_the_task_to_a_queue() -> None:
    ended: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()
    asyncio.create_task(boom(0.001)).add_done_callback(lambda task: ended.put_nowait(task))
    print((await ended.get()).exception())


@right
async def callback_that_hands_the_task_to_a_function() -> None:
    def finish(task: asyncio.Task[None]) -> None:
        print(task.exception())

    asyncio.create_task(boom(0.001)).add_done_callback(lambda task: finish(task))
    await settle()


@right
async def callback_that_only_says_that_it_ended() -> None:
    ended = asyncio.Event()
    task = asyncio.create_task(boom(0.001))
    task.add_done_callback(lambda _: ended.set())
    await ended.wait()
    print(task.exception())


@right
async def method_that_is_called_back_hands_the_task_on() -> None:
    ended = asyncio.Event()

    class Group:
        def ended(self, why: str, task: asyncio.Task[None]) -> None:
            self.failed = (why, task)
            ended.set()

    group = Group()
    asyncio.create_task(boom(0.001)).add_done_callback(functools.partial(group.ended, "y"))
    await ended.wait()
    print(group.failed[1].exception())


@expect("lost")
async def callback_that_only_says_that_it_ended_and_nobody_asks() -> None:
    ended = asyncio.Event()
    asyncio.create_task(boom(0.001)).add_done_callback(lambda _: ended.set())
    await ended.wait()


@expect("swallowed")
async def callback_that_forgets_the_task_beside_one_who_swallows() -> None:
    tasks: set[asyncio.Task[None]] = set()
    task = asyncio.create_task(boom(0.001))
    tasks.add(task)
    task.add_done_callback(lambda task: tasks.discard(task))
    try:
        await task
    except Exception:  # ends here
        pass


@expect("absorbed")
async def method_that_is_called_back_asks_and_drops() -> None:
    class Group:
        def ended(self, why: str, task: asyncio.Task[None]) -> None:
            self.failed = why if not task.cancelled() and task.exception() else ""

    asyncio.create_task(boom(0.001)).add_done_callback(functools.partial(Group().ended, "y"))
    await settle()


@right
async def one_of_two_who_await_it_uses_it() -> None:
    task = asyncio.create_task(boom(0.001))

    async def uses() -> None:
        try:
            await task
        except Exception as error:
            print(error)

    async def drops() -> None:
        try:
            await asyncio.shield(task)
        except Exception:
            pass

    await asyncio.gather(uses(), drops())


@expect("swallowed")
async def used_on_its_way_and_then_swallowed() -> None:
    async def uses() -> None:
        try:
            await asyncio.create_task(boom())
        except Exception as error:
            print(error)
            raise

    try:
        await uses()
    except Exception:  # ends here
        pass


@expect("swallowed")
async def neither_of_two_who_await_it_uses_it() -> None:
    task = asyncio.create_task(boom(0.001))

    async def drops() -> None:
        try:
            await task
        except Exception:  # ends here
            pass

    await asyncio.gather(drops(), drops())


async def fail_with(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error


@expect("lost")
async def raised_again_in_a_task_that_nobody_asks_after_it_was_logged() -> None:
    error = ValueError("x")
    try:
        await asyncio.create_task(fail_with(error))
    except ValueError:
        log.exception("failed")
    task = asyncio.create_task(fail_with(error))
    del error
    await settle()
    del task


@right
async def raised_again_in_a_task_that_is_awaited_after_it_was_logged() -> None:
    error = ValueError("x")
    for _ in range(2):
        with contextlib.suppress(ValueError):
            try:
                await asyncio.create_task(fail_with(error))
            except ValueError:
                log.exception("failed")
                raise


@right
async def logged_and_raised_on_through_tasks_that_nobody_asks() -> None:
    async def logs() -> None:
        try:
            await asyncio.create_task(boom())
        except ValueError:
            log.exception("failed")
            raise

    async def waits() -> None:
        await asyncio.create_task(logs())

    task = asyncio.create_task(waits())
    await settle()
    del task


@expect("lost")
async def lost_with_its_task_in_one_cycle() -> None:
    error = ValueError("x")
    with contextlib.suppress(ValueError):
        await asyncio.create_task(fail_with(error))
    gc.collect()  # what is known of it is older than its second task, and so finalized first
    task = asyncio.create_task(fail_with(error))
    await settle()
    error.__dict__["task"] = task
    del error, task
    gc.collect()
