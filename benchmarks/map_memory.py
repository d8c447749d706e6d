"""
How much memory a million items take: streamed, collected, and with `asyncio.gather`.

    python benchmarks/map_memory.py [--items 1000000] [--limit 100]

Each way runs in a fresh process and prints by how much its peak resident size grew over what it was before the first
item. Streamed outcomes are looked at and let go: that line stays flat however many items there are.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import resource
import subprocess
import sys
from collections.abc import Awaitable, Callable

import unlost

RAISING = 20


async def operation(item: int) -> int:
    await asyncio.sleep(0)
    if item % RAISING == 0:
        raise ValueError(item)
    return item


async def stream_and_let_go(items: int, limit: int) -> int:
    seen = 0
    async with unlost.stream(operation, range(items), limit=limit) as outcomes:
        async for _ in outcomes:
            seen += 1
    return seen


async def map_and_keep(items: int, limit: int) -> int:
    return len(await unlost.map(operation, range(items), limit=limit))


async def gather_and_keep(items: int, limit: int) -> int:
    semaphore = asyncio.Semaphore(limit)

    async def limited(item: int) -> int:
        async with semaphore:
            return await operation(item)

    return len(await asyncio.gather(*map(limited, range(items)), return_exceptions=True))


WAYS: dict[str, Callable[[int, int], Awaitable[int]]] = {
    "unlost.stream": stream_and_let_go,
    "unlost.map": map_and_keep,
    "asyncio.gather + Semaphore": gather_and_keep,
}


def peak() -> int:
    """Return the largest resident size so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


async def growth(name: str, items: int, limit: int) -> float:
    """Return by how many MiB the peak grew while ``items`` were run."""
    await WAYS[name](1_000, limit)  # what is allocated once, however many items there are
    before = peak()
    seen = await WAYS[name](items, limit)
    if seen != items:
        raise AssertionError(f"{name} handed over {seen:,} outcomes of {items:,}")
    return (peak() - before) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description="memory of a million items")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--way", choices=WAYS, help="measure one way, in this process")
    args = parser.parse_args()
    if args.way:
        print(
            f"{args.way:28}{args.items:>12,} items   +{asyncio.run(growth(args.way, args.items, args.limit)):.1f} MiB"
        )
        return
    print(f"CPython {platform.python_version()}, limit {args.limit}", flush=True)
    for way, items in [("unlost.stream", args.items // 10), *((way, args.items) for way in WAYS)]:
        command = [sys.executable, __file__, "--way", way, "--items", str(items), "--limit", str(args.limit)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
