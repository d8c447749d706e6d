"""What somebody still holds when the watching ends."""
# ruff: noqa: SIM105  (written as people write it)

from __future__ import annotations

import asyncio

from scenario import boom, expect, log, right

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
    await asyncio.sleep(0.01)


@expect("undelivered")
async def held_shield_that_nobody_asked() -> None:
    kept.append(asyncio.shield(asyncio.create_task(boom())))
    await asyncio.sleep(0.01)


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
    await asyncio.sleep(0.01)


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
