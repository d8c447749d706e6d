"""Errors that a gather or a shield hands on to another than who awaits it."""
# ruff: noqa: SIM105  (written as people write it)

from __future__ import annotations

import asyncio
import contextlib

from scenario import boom, expect, log, right, settle


@expect("returned")
async def gather_in_a_gather_that_returns() -> None:
    await asyncio.gather(asyncio.gather(boom(), asyncio.sleep(0)), asyncio.sleep(0), return_exceptions=True)


@expect("absorbed", "returned")
async def gather_in_a_gather_that_returns_and_drops_the_second() -> None:
    await asyncio.gather(asyncio.gather(boom(), boom()), return_exceptions=True)
    await settle()


@expect("absorbed", "returned")
async def gather_in_a_gather_that_returns_and_drops_a_later_one() -> None:
    await asyncio.gather(asyncio.gather(boom(), boom(0.002)), return_exceptions=True)
    await settle()


@right
async def gather_in_a_gather_whose_values_are_logged() -> None:
    for result in await asyncio.gather(asyncio.gather(boom(), asyncio.sleep(0)), return_exceptions=True):
        if isinstance(result, Exception):
            log.error("failed", exc_info=result)


@expect("absorbed")
async def gather_in_a_gather_that_drops_the_second() -> None:
    try:
        await asyncio.gather(asyncio.gather(boom()), asyncio.gather(boom()))
    except ValueError:
        pass
    await settle()


@expect("returned")
async def shield_in_a_gather_that_returns() -> None:
    await asyncio.gather(asyncio.shield(boom()), return_exceptions=True)


@right
async def shield_in_a_gather_whose_values_are_logged() -> None:
    for result in await asyncio.gather(asyncio.shield(boom()), return_exceptions=True):
        log.error("failed", exc_info=result)


@expect("returned")
async def gather_that_is_asked() -> None:
    both = asyncio.gather(boom(), asyncio.sleep(0))
    await settle()
    print(both.exception())


@expect("absorbed", "returned")
async def gather_that_is_asked_for_its_first() -> None:
    both = asyncio.gather(boom(), boom())
    await settle()
    print(both.exception())


@right
async def gather_that_is_asked_for_its_result() -> None:
    both = asyncio.gather(boom(), asyncio.sleep(0))
    await settle()
    with contextlib.suppress(ValueError):
        both.result()


@expect("lost")
async def gather_that_is_never_asked() -> None:
    both = asyncio.gather(boom(), asyncio.sleep(0))
    await settle()
    del both


@expect("returned")
async def gather_that_is_waited_for_and_asked() -> None:
    both = asyncio.gather(boom(), asyncio.sleep(0))
    await asyncio.wait([both])
    print(both.exception())


@expect("lost")
async def gather_that_is_waited_for_and_never_asked() -> None:
    await asyncio.wait([asyncio.gather(boom(), asyncio.sleep(0))])


@right
async def gather_whose_callback_tells() -> None:
    asyncio.gather(boom(), asyncio.sleep(0)).add_done_callback(lambda both: print(both.exception()))
    await settle()


@expect("absorbed")
async def gather_whose_callback_drops() -> None:
    asyncio.gather(boom(), asyncio.sleep(0)).add_done_callback(lambda both: both.exception())
    await settle()


@expect("returned")
async def shield_that_is_asked() -> None:
    shield = asyncio.shield(asyncio.create_task(boom()))
    await settle()
    print(shield.exception())


@expect("lost")
async def shield_that_is_never_asked() -> None:
    shield = asyncio.shield(asyncio.create_task(boom()))
    await settle()
    del shield


@expect("returned")
async def gather_of_one_that_fails_at_once_and_is_asked() -> None:
    async def fails() -> None:
        raise ValueError("x")

    both = asyncio.gather(fails(), asyncio.sleep(0))
    await settle()
    print(both.exception())


@expect("absorbed", "returned")
async def gather_of_two_that_fail_at_once_and_is_asked() -> None:
    async def fails() -> None:
        raise ValueError("x")

    both = asyncio.gather(fails(), fails())
    await settle()
    print(both.exception())


@right
async def gather_of_one_that_fails_at_once_and_is_awaited() -> None:
    async def fails() -> None:
        raise ValueError("x")

    with contextlib.suppress(ValueError):
        await asyncio.gather(fails(), asyncio.sleep(0))


@right
async def gather_in_a_gather_that_is_logged() -> None:
    try:
        await asyncio.gather(asyncio.gather(boom(), asyncio.sleep(0)), asyncio.sleep(0))
    except ValueError:
        log.exception("failed")


@right
async def gathers_in_a_gather_of_which_each_is_taken() -> None:
    for both in [asyncio.gather(boom(), asyncio.sleep(0)) for _ in range(2)]:
        with contextlib.suppress(ValueError):
            await both


@right
async def gather_that_is_asked_and_logged() -> None:
    both = asyncio.gather(boom(), asyncio.sleep(0))
    await settle()
    log.error("failed", exc_info=both.exception())


@right
async def gather_that_is_waited_for_and_logged() -> None:
    both = asyncio.gather(boom(), asyncio.sleep(0))
    await asyncio.wait([both])
    log.error("failed", exc_info=both.exception())


@right
async def gather_that_is_waited_for_and_awaited() -> None:
    both = asyncio.gather(boom(), asyncio.sleep(0))
    await asyncio.wait([both])
    with contextlib.suppress(ValueError):
        await both


@right
async def shield_that_is_asked_and_logged() -> None:
    shield = asyncio.shield(asyncio.create_task(boom()))
    await settle()
    log.error("failed", exc_info=shield.exception())


@right
async def shield_that_is_asked_for_its_result() -> None:
    shield = asyncio.shield(asyncio.create_task(boom()))
    await settle()
    with contextlib.suppress(ValueError):
        shield.result()


@right
async def gather_of_one_that_fails_at_once_and_is_logged() -> None:
    async def fails() -> None:
        raise ValueError("x")

    both = asyncio.gather(fails(), asyncio.sleep(0))
    await settle()
    log.error("failed", exc_info=both.exception())
