"""What somebody still holds when the watching ends."""
# ruff: noqa: SIM105  (written as people write it)

from __future__ import annotations

import asyncio

from scenario import boom, expect, log, right, settle

kept: list[object] = []


@expect("undelivered")
async def held_task_that_was_only_waited_for() -> None:
    task = asyncio.create_task(boom())
    kept.append(task)
    await asyncio.wait([task])


@right
async def held_task_that_was_waited_for_and_raised_what_it_had() -> None:
    task = asyncio.create_task(boom())
    kept.append(task)
    await asyncio.wait([task])
    try:
        task.result()
    except ValueError:
        pass


@expect("returned")
async def held_task_that_was_asked() -> None:
    task = asyncio.create_task(boom())
    kept.append(task)
    await asyncio.wait([task])
    print(task.exception())


@expect("returned", "returned")
async def held_results_of_a_gather() -> None:
    kept.append(await asyncio.gather(boom(), boom(), return_exceptions=True))


@expect("undelivered")
async def held_gather_that_nobody_asked() -> None:
    kept.append(asyncio.gather(boom()))
    await settle()


@expect("undelivered")
async def held_shield_that_nobody_asked() -> None:
    kept.append(asyncio.shield(asyncio.create_task(boom())))
    await settle()


@right
async def held_shield_that_was_awaited() -> None:
    shield = asyncio.shield(asyncio.create_task(boom()))
    kept.append(shield)
    try:
        await shield
    except ValueError:
        pass


@right
async def held_error_that_a_callback_keeps_for_another() -> None:
    asyncio.create_task(boom(0.001)).add_done_callback(lambda task: kept.append(task.exception()))
    await settle()


@right
async def held_results_of_a_gather_that_are_logged() -> None:
    results = await asyncio.gather(boom(), boom(), return_exceptions=True)
    kept.append(results)
    for result in results:
        log.error("failed", exc_info=result)


@right
async def held_gather_that_is_awaited() -> None:
    both = asyncio.gather(boom(), asyncio.sleep(0))
    kept.append(both)
    try:
        await both
    except ValueError:
        pass


class Pool:
    def __init__(self) -> None:
        self.first = asyncio.get_running_loop().create_future()
        self.waiting = {"second": [asyncio.get_running_loop().create_future()]}


@expect("undelivered")
async def held_future_that_nobody_asked() -> None:
    future = asyncio.get_running_loop().create_future()
    kept.append(future)
    future.set_exception(ValueError("x"))


@expect("undelivered", "undelivered")
async def held_futures_of_a_pool_that_nobody_asked() -> None:
    pool = Pool()
    kept.append(pool)
    for future in (pool.first, *pool.waiting["second"]):
        try:
            await boom()
        except ValueError as error:
            future.set_exception(error)


@expect("undelivered")
async def held_future_that_a_function_has_from_the_one_around_it() -> None:
    future = asyncio.get_running_loop().create_future()
    kept.append(lambda: future)
    future.set_exception(ValueError("x"))


@right
async def held_futures_that_were_asked() -> None:
    pool = Pool()
    kept.append(pool)
    for future in (pool.first, *pool.waiting["second"]):
        future.set_exception(ValueError("x"))
    print(pool.first.exception())
    try:
        await pool.waiting["second"][0]
    except ValueError:
        pass


@right
async def held_future_whose_error_was_logged() -> None:
    future = asyncio.get_running_loop().create_future()
    kept.append(future)
    try:
        raise ValueError("x")
    except ValueError as error:
        log.exception("failed")
        future.set_exception(error)


@right
async def held_future_whose_error_another_was_asked_for() -> None:
    pool, error = Pool(), ValueError("x")
    kept.append(pool)
    for future in (pool.first, *pool.waiting["second"]):
        future.set_exception(error)
    try:
        await pool.first
    except ValueError:
        pass


@right
async def held_stream_that_has_a_future_of_its_own() -> None:
    protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    kept.append(protocol)
    protocol.connection_lost(ConnectionResetError("by peer"))


@right
async def future_that_a_task_is_about_to_take() -> None:
    future = asyncio.get_running_loop().create_future()

    async def takes() -> None:
        try:
            await future
        except ValueError:
            pass

    kept.append((future, task := asyncio.create_task(takes())))
    await asyncio.sleep(0)
    future.set_exception(ValueError("x"))
    await task
