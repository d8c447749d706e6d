"""What goes wrong in the services, the same in each framework."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

SECRET = "sesame-open-4711"

kept: list[asyncio.Task[None]] = []


async def boom(what: str) -> None:
    await asyncio.sleep(0)
    raise ValueError(f"{what} broke")


def forget(what: str) -> None:
    asyncio.get_running_loop().create_task(boom(what))


def keep(what: str) -> None:
    kept.append(asyncio.get_running_loop().create_task(boom(what)))


async def stream(what: str) -> AsyncIterator[bytes]:
    yield b"first"
    await boom(what)


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"more" * 100
        await asyncio.sleep(0.01)


async def slow() -> AsyncIterator[bytes]:
    yield b"begun"
    await asyncio.sleep(0.5)
    yield b", ended"


async def at(phase: str) -> None:
    if os.environ.get("BREAKS") == phase:
        await boom(phase)
