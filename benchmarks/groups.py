"""
What task groups, `gather` and `settle` cost, beside asyncio's own and other libraries'.

    python benchmarks/groups.py [--children 1000] [--rounds 11] [--eager] [--without-gc] [--memory]

Each round starts so many children and waits for all. They return at once, suspend once, or three times. The contenders
take turns in one process, round after round, so that a busy moment of the machine hits all of them; the medians are
compared with asyncio's own. Each contender's values are checked. `--eager` uses asyncio's eager task factory (3.12 on).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import platform
import statistics
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeAlias

import unlost

try:
    import aiotools
except ImportError:
    aiotools = None
try:
    import anyio
except ImportError:
    anyio = None
try:
    import trio
except ImportError:
    trio = None

Work: TypeAlias = Callable[[], Awaitable[int]]
Contender: TypeAlias = Callable[[Work, int], Awaitable[int]]

BASES = {"group": "asyncio.TaskGroup", "gather": "asyncio.gather", "settle": "asyncio.gather(return_exceptions=True)"}


async def at_once() -> int:
    return 1


async def suspends_once() -> int:
    await asyncio.sleep(0)
    return 1


async def suspends_thrice() -> int:
    for _ in range(3):
        await asyncio.sleep(0)
    return 1


async def asyncio_group(work: Work, children: int) -> int:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work()) for _ in range(children)]
    return sum(task.result() for task in tasks)


async def unlost_group(work: Work, children: int) -> int:
    async with unlost.TaskGroup() as group:
        tasks = [group.create_task(work()) for _ in range(children)]
    return sum(task.result() for task in tasks)


async def unlost_start_soon(work: Work, children: int) -> int:
    async with unlost.TaskGroup() as group:
        for _ in range(children):
            group.start_soon(work)
    return sum(group.result)


async def anyio_group(work: Work, children: int) -> int:
    values: list[int] = []

    async def child() -> None:  # start_soon hands no value over
        values.append(await work())

    async with anyio.create_task_group() as group:
        for _ in range(children):
            group.start_soon(child)
    return sum(values)


async def aiotools_group(work: Work, children: int) -> int:
    async with aiotools.TaskGroup() as group:
        tasks = [group.create_task(work()) for _ in range(children)]
    return sum(task.result() for task in tasks)


async def trio_nursery(work: Work, children: int) -> int:
    values: list[int] = []

    async def child() -> None:  # as with anyio
        values.append(await work())

    async with trio.open_nursery() as nursery:
        for _ in range(children):
            nursery.start_soon(child)
    return sum(values)


async def asyncio_gather(work: Work, children: int) -> int:
    return sum(await asyncio.gather(*[work() for _ in range(children)]))


async def asyncio_gather_all(work: Work, children: int) -> int:
    return sum(await asyncio.gather(*[work() for _ in range(children)], return_exceptions=True))


async def unlost_gather(work: Work, children: int) -> int:
    return sum(await unlost.gather(*[work() for _ in range(children)]))


async def unlost_settle(work: Work, children: int) -> int:
    return sum(outcome.value for outcome in await unlost.settle(*[work() for _ in range(children)]))


# name -> what runs it, and which of asyncio's own it is compared with
CONTENDERS: dict[str, tuple[Contender, str]] = {
    "asyncio.TaskGroup": (asyncio_group, "group"),
    "unlost.TaskGroup": (unlost_group, "group"),
    "unlost.TaskGroup.start_soon": (unlost_start_soon, "group"),
    **({"anyio.TaskGroup": (anyio_group, "group")} if anyio is not None else {}),
    **({"aiotools.TaskGroup": (aiotools_group, "group")} if aiotools is not None else {}),
    **({"trio.Nursery": (trio_nursery, "group")} if trio is not None else {}),
    "asyncio.gather": (asyncio_gather, "gather"),
    "unlost.gather": (unlost_gather, "gather"),
    "asyncio.gather(return_exceptions=True)": (asyncio_gather_all, "settle"),
    "unlost.settle": (unlost_settle, "settle"),
}


async def trio_suspends_once() -> int:
    await trio.lowlevel.checkpoint()
    return 1


async def trio_suspends_thrice() -> int:
    for _ in range(3):
        await trio.lowlevel.checkpoint()
    return 1


TRIO_WORK: dict[Work, Work] = {
    at_once: at_once,
    suspends_once: trio_suspends_once,
    suspends_thrice: trio_suspends_thrice,
}


def measure(contender: Contender, work: Work, children: int, repeat: int, is_eager: bool, is_without_gc: bool) -> float:
    """Return the microseconds that one child takes, after checking that no value was lost."""

    async def timed() -> float:
        if is_eager and contender is not trio_nursery:
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        started = perf_counter()
        for _ in range(repeat):
            if await contender(work, children) != children:
                raise AssertionError(f"{contender.__name__} lost a value")
        return perf_counter() - started

    gc.collect()
    if is_without_gc:
        gc.disable()
    if contender is trio_nursery:
        work = TRIO_WORK[work]
        seconds = trio.run(timed)
    else:
        seconds = asyncio.run(timed())
    gc.enable()
    return seconds / children / repeat * 1e6


def memory(contender: Contender, children: int) -> float:
    """Return the bytes that one child takes while all of them wait."""

    async def held() -> float:
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        await contender(suspends_once, children)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return (peak - before) / children

    gc.collect()
    return asyncio.run(held())


def main() -> None:
    parser = argparse.ArgumentParser(description="task groups, gather and settle beside asyncio's own")
    parser.add_argument("--children", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--eager", action="store_true", help="use asyncio's eager task factory")
    parser.add_argument("--without-gc", action="store_true", help="switch the cyclic garbage collector off meanwhile")
    parser.add_argument("--memory", action="store_true", help="measure the peak of memory a child instead of time")
    args = parser.parse_args()
    if args.eager and sys.version_info < (3, 12):
        parser.error("eager task factories came with Python 3.12")
    if absent := [name for name, found in {"anyio": anyio, "aiotools": aiotools, "trio": trio}.items() if not found]:
        print(f"not installed, left out: {', '.join(absent)}. Write: pip install 'unlost[bench]'", file=sys.stderr)
    print(f"CPython {platform.python_version()}, {args.children:,} children{', eager' if args.eager else ''}")
    if args.memory:
        for name, (contender, _) in CONTENDERS.items():
            if contender is not trio_nursery:
                print(f"{name:42}{memory(contender, args.children):9,.0f} bytes a child at the peak")
        return
    repeat = max(1, 10_000 // args.children)
    for work in (at_once, suspends_once, suspends_thrice):
        took: dict[str, list[float]] = {name: [] for name in CONTENDERS}
        for _ in range(args.rounds):
            for name, (contender, _) in CONTENDERS.items():
                took[name].append(measure(contender, work, args.children, repeat, args.eager, args.without_gc))
        medians = {name: statistics.median(each) for name, each in took.items()}
        print(f"\n{work.__name__:42}{'µs a child':>11}   beside asyncio's own")
        for name, (_, sort) in CONTENDERS.items():
            print(f"{name:42}{medians[name]:11.2f}   {medians[name] / medians[BASES[sort]]:.2f}×")


if __name__ == "__main__":
    main()
