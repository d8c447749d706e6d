"""What people write without a library."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from _policies_frame import BARE, Call, Contenders

CONTENDERS = Contenders()


@CONTENDERS.add("retry", BARE)
@CONTENDERS.add("breaker", BARE)
def bare(operation: Call) -> Call:
    return operation


@CONTENDERS.add("retry", "a loop by hand")
def retry_by_hand(operation: Call) -> Call:
    async def call() -> int:
        for attempt in range(1, 4):
            try:
                return await operation()
            except ConnectionError:
                if attempt == 3:
                    raise
                await asyncio.sleep(0)
        raise AssertionError("not reached")

    return call


@CONTENDERS.add("retry", "a loop by hand, as a helper")
def retry_by_a_helper(operation: Call) -> Call:
    async def retried(attempts: int, func: Callable[..., Awaitable[int]], *args: object) -> int:
        for attempt in range(1, attempts + 1):
            try:
                return await func(*args)
            except ConnectionError:
                if attempt == attempts:
                    raise
                await asyncio.sleep(0)
        raise AssertionError("not reached")

    return partial(retried, 3, operation)


@CONTENDERS.add("timeout", "asyncio.timeout")
def timeout_of_asyncio(operation: Call) -> Call:
    async def call() -> int:
        async with asyncio.timeout(60):
            return await operation()

    return call


@CONTENDERS.add("timeout", "asyncio.wait_for")
def wait_for_of_asyncio(operation: Call) -> Call:
    async def call() -> int:
        return await asyncio.wait_for(operation(), 60)

    return call


@CONTENDERS.add("bulkhead", "asyncio.Semaphore")
def semaphore_of_asyncio(operation: Call) -> Call:
    semaphore = asyncio.Semaphore(10)

    async def call() -> int:
        async with semaphore:
            return await operation()

    return call


@CONTENDERS.add("fallback", "except by hand")
def except_by_hand(operation: Call) -> Call:
    async def call() -> int:
        try:
            return await operation()
        except ConnectionError:
            return await another()

    return call


@CONTENDERS.add("pipeline", "asyncio.timeout, a loop by hand, no breaker")
def timeout_and_retry_by_hand(operation: Call) -> Call:
    retried = retry_by_hand(operation)

    async def call() -> int:
        async with asyncio.timeout(60):
            return await retried()

    return call


async def another() -> int:
    return 1
