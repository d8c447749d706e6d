"""What is tried again, whatever library does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from _loss_record import Boom, raise_

Call: TypeAlias = Callable[..., Awaitable[object]]


class Attempts:
    """Fails so many times, then returns a value."""

    def __init__(self, failing: int) -> None:
        self._left = failing

    @property
    def call(self) -> Call:
        """The operation, as a plain async function: the libraries decorate those."""

        async def attempt() -> str:
            await asyncio.sleep(0)
            self._left -= 1
            if self._left >= 0:
                raise_("attempt")
            return "value"

        return attempt


async def two_in_a_group(decorate: Callable[[Call], Call]) -> None:
    """Run two that fail as children of asyncio's own group."""

    async def run(operation: Call) -> None:
        await operation()

    async with asyncio.TaskGroup() as group:
        group.create_task(run(decorate(Attempts(9).call)))
        group.create_task(run(decorate(Attempts(9).call)))


async def cancelled_while_it_waits(operation: Call) -> None:
    """Cancel it between its first and its second attempt."""

    async def run() -> None:
        await operation()

    task = asyncio.create_task(run())
    await asyncio.sleep(0.05)
    task.cancel()
    await task


async def the_refusal(guarded: Call, refusal: type[Exception]) -> object:
    """Return what a breaker says to a caller, after two others had failed and handled that."""
    for _ in range(2):
        with suppress(Boom):  # of another caller, who was told
            await guarded()
    try:
        return await guarded()
    except refusal as refused:
        return refused


async def the_place_is_taken(limit: Callable[[Call], Call], retry: Callable[[Call], Call]) -> object:
    """Try twice under a limit of one call at once; another caller takes the place between the two."""

    async def perform(operation: Call) -> object:
        return await operation()

    async def take() -> None:
        await asyncio.sleep(0.02)
        await limited(partial(asyncio.sleep, 30))

    async def within(operation: Call) -> object:  # a plain function: some merge what is stacked
        return await limited(operation)

    limited = limit(perform)
    other = asyncio.create_task(take())
    try:
        return await retry(within)(Attempts(2).call)
    finally:
        other.cancel()
        await asyncio.wait([other])
