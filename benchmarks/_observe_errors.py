"""
What watching costs for each exception: raised and caught in every usual way, with and without a watch.

    python benchmarks/_observe_errors.py [--repeats 60]

Processor time, the best of the repeats, in microseconds for one exception; the differences are what counts.
"""

# ruff: noqa: SIM105  (contextlib.suppress would be measured along)

from __future__ import annotations

import argparse
import asyncio
import platform
import time
import timeit
from collections.abc import Callable, Iterator

from unlost.observe.watch import Collector, start

FRAMES = 10
TASKS = 300


def specific() -> None:
    try:
        raise ValueError
    except ValueError:
        pass


def broad() -> None:
    try:
        raise ValueError
    except Exception:
        pass


def down(levels: int) -> None:
    if not levels:
        raise ValueError
    down(levels - 1)


def through_functions() -> None:
    try:
        down(FRAMES)
    except ValueError:
        pass


def down_finally(levels: int) -> None:
    try:
        if not levels:
            raise ValueError
        down_finally(levels - 1)
    finally:
        pass


def through_finally() -> None:
    try:
        down_finally(FRAMES)
    except ValueError:
        pass


async def down_coroutines(levels: int) -> None:
    if not levels:
        raise ValueError
    await down_coroutines(levels - 1)


async def caught(levels: int) -> None:
    try:
        await down_coroutines(levels)
    except ValueError:
        pass


def through_coroutines() -> None:
    try:
        caught(FRAMES).send(None)
    except StopIteration:
        pass


async def failing_tasks() -> None:
    for _ in range(TASKS):
        try:
            await asyncio.create_task(down_coroutines(0))
        except ValueError:
            pass


async def futures() -> None:
    loop = asyncio.get_running_loop()
    for _ in range(TASKS):
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future


async def awaits() -> None:
    for _ in range(TASKS):
        await asyncio.sleep(0)


# what is measured, how many runs of it one repeat is, and how many exceptions or awaits one run has
WAYS: dict[str, tuple[Callable[[], object], int, int]] = {
    "raised and caught by its type": (specific, 2000, 1),
    "raised and swallowed": (broad, 2000, 1),
    f"through {FRAMES} functions": (through_functions, 500, 1),
    f"through {FRAMES} functions with finally": (through_finally, 500, 1),
    f"through {FRAMES} coroutines": (through_coroutines, 500, 1),
    "out of a task that is awaited": (lambda: asyncio.run(failing_tasks()), 1, TASKS),
    "an await, no exception": (lambda: asyncio.run(awaits()), 1, TASKS),
    "an await of a future, no exception": (lambda: asyncio.run(futures()), 1, TASKS),
}


def measured(repeats: int) -> Iterator[tuple[str, float]]:
    for name, (way, number, each) in WAYS.items():
        best = min(timeit.repeat(way, number=number, repeat=repeats, timer=time.process_time))
        yield name, best / number / each * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=60)
    repeats = parser.parse_args().repeats
    before = dict(measured(repeats))
    watch = start(Collector())
    watched = dict(measured(repeats))
    watch.stop()
    after = dict(measured(repeats))
    print(f"CPython {platform.python_version()}, {watch.mode}; microseconds")
    print(f"{'':40} {'without':>9} {'watched':>9} {'more':>7}")
    for name, on in watched.items():
        off = min(before[name], after[name])
        print(f"{name:40} {off:9.3f} {on:9.3f} {on - off:7.3f}")


if __name__ == "__main__":
    main()
