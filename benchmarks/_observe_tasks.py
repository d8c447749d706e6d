"""
What watching costs for each task: awaited at once, and held together with others, with and without.

    python benchmarks/_observe_tasks.py [--repeats 30]

Processor time, the best of the repeats, in microseconds for one task; each repeat measures both sides, one after the
other, so that what else the machine does meets both alike. The differences are what counts.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import time
from collections.abc import Awaitable, Callable

from unlost.observe.tasks import watch_tasks
from unlost.observe.watch import start

TASKS = 10_000
TOGETHER = 100


async def nothing() -> None:
    """Return at once."""


async def awaited_at_once() -> None:
    for _ in range(TASKS):
        await asyncio.create_task(nothing())


async def held_together() -> None:
    for _ in range(TASKS // TOGETHER):
        tasks = [asyncio.create_task(nothing()) for _ in range(TOGETHER)]
        for task in tasks:
            await task


async def gathered() -> None:
    for _ in range(TASKS // TOGETHER):
        await asyncio.gather(*(nothing() for _ in range(TOGETHER)))


async def grouped() -> None:
    for _ in range(TASKS // TOGETHER):
        async with asyncio.TaskGroup() as group:
            for _ in range(TOGETHER):
                group.create_task(nothing())


def microseconds(ways: Callable[[], Awaitable[None]]) -> float:
    with asyncio.Runner() as runner:
        began = time.process_time()
        runner.run(_await(ways))
        return (time.process_time() - began) / TASKS * 1e6


async def _await(ways: Callable[[], Awaitable[None]]) -> None:
    await ways()


def watched(ways: Callable[[], Awaitable[None]]) -> float:
    watch = start()
    around = watch_tasks(watch)
    try:
        return microseconds(ways)
    finally:
        around.stop()
        watch.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    print(f"CPython {platform.python_version()}, microseconds for one task, best of {repeats}")
    for ways in (awaited_at_once, held_together, gathered, grouped):
        pairs = [(microseconds(ways), watched(ways)) for _ in range(repeats)]
        plain, with_watch = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
        print(f"{ways.__name__:16} plain {plain:6.3f}   watched {with_watch:6.3f}   more {with_watch - plain:6.3f}")


if __name__ == "__main__":
    main()
