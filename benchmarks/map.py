"""
What `unlost.map` costs, beside what people write today.

    python benchmarks/map.py [--items 50000] [--rounds 7] [--limit 100]

The operation suspends once and raises for every twentieth item; at most 100 run at once. Every contender has to hand
over each value and each error, which is checked. The contenders take turns in one process, round after round, so that
a busy moment of the machine hits all of them; the medians are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import platform
import statistics
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from time import perf_counter
from typing import TypeAlias

import unlost

try:
    import aiometer
except ImportError:
    aiometer = None

Counts: TypeAlias = tuple[int, int]
Contender: TypeAlias = Callable[[Iterable[int], int], Awaitable[Counts]]

OURS = "unlost.map"
RAISING = 20


async def operation(item: int) -> int:
    await asyncio.sleep(0)
    if item % RAISING == 0:
        raise ValueError(item)
    return item


async def unlost_map(items: Iterable[int], limit: int) -> Counts:
    outcomes = await unlost.map(operation, items, limit=limit)
    failed = len(outcomes.failures)
    return len(outcomes) - failed, failed


async def unlost_map_a_task_each(items: Iterable[int], limit: int) -> Counts:
    outcomes = await unlost.map(operation, items, limit=limit, isolate="task")
    failed = len(outcomes.failures)
    return len(outcomes) - failed, failed


async def gather_with_semaphore(items: Iterable[int], limit: int) -> Counts:
    semaphore = asyncio.Semaphore(limit)

    async def limited(item: int) -> int:
        async with semaphore:
            return await operation(item)

    # return_exceptions: without it, all errors but the first are dropped, and the comparison would not be fair
    return _counts(await asyncio.gather(*map(limited, items), return_exceptions=True))


async def aiometer_run_all(items: Iterable[int], limit: int) -> Counts:
    async def caught(item: int) -> int | ValueError:  # aiometer stops at the first error
        try:
            return await operation(item)
        except ValueError as error:
            return error

    return _counts(await aiometer.run_all([partial(caught, item) for item in items], max_at_once=limit))


async def bare_workers(items: Iterable[int], limit: int) -> Counts:
    """Do the least that is right: no outcomes, no isolation, no care for cancellation."""
    results: dict[int, int | ValueError] = {}

    async def worker(remaining: Iterator[tuple[int, int]]) -> None:
        for index, item in remaining:
            try:
                results[index] = await operation(item)
            except ValueError as error:
                results[index] = error

    remaining = enumerate(items)
    await asyncio.gather(*(worker(remaining) for _ in range(limit)))
    return _counts([results[index] for index in range(len(results))])


def _counts(results: Iterable[object]) -> Counts:
    collected = list(results)
    failed = sum(isinstance(result, BaseException) for result in collected)
    return len(collected) - failed, failed


CONTENDERS: dict[str, Contender] = {
    OURS: unlost_map,
    'unlost.map(isolate="task")': unlost_map_a_task_each,
    "asyncio.gather + Semaphore": gather_with_semaphore,
    **({"aiometer.run_all": aiometer_run_all} if aiometer is not None else {}),
    "bare worker pool": bare_workers,
}


def measure(contender: Contender, items: int, limit: int) -> float:
    """Return the seconds that one run takes, after checking that it lost nothing."""

    async def timed() -> tuple[float, Counts]:
        started = perf_counter()
        counts = await contender(range(items), limit)
        return perf_counter() - started, counts

    gc.collect()
    seconds, counts = asyncio.run(timed())
    raising = len(range(0, items, RAISING))
    if counts != (items - raising, raising):
        raise AssertionError(f"{contender.__name__} handed over {counts}, expected {(items - raising, raising)}")
    return seconds


def report(seconds: dict[str, list[float]], items: int) -> None:
    ours = statistics.median(seconds[OURS])
    print(f"{'':28}{'median s':>9}{'best':>7}{'worst':>7}{'µs/item':>9}{'items/s':>10}   time beside unlost.map")
    for name, each in seconds.items():
        median = statistics.median(each)
        print(
            f"{name:28}{median:9.3f}{min(each):7.3f}{max(each):7.3f}{median / items * 1e6:9.2f}"
            f"{items / median:10,.0f}   {median / ours:.2f}×"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="unlost.map beside gather, aiometer and a bare worker pool")
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--limit", type=int, default=100)
    args = parser.parse_args()
    print(f"CPython {platform.python_version()}, {args.items:,} items, limit {args.limit}, {args.rounds} rounds")
    if aiometer is None:
        print("aiometer is not installed: left out. Write: pip install 'unlost[bench]'", file=sys.stderr)
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for contender in CONTENDERS.values():
        measure(contender, args.items // 10, args.limit)  # once to warm up
    for _ in range(args.rounds):
        for name, contender in CONTENDERS.items():
            seconds[name].append(measure(contender, args.items, args.limit))
    report(seconds, args.items)


if __name__ == "__main__":
    main()
