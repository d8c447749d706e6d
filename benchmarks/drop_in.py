"""
What the drop-in costs: calls of asyncio's own functions, without it and with it, side by side.

    python benchmarks/drop_in.py

Microseconds a call, the median of 15 rounds of each, in turn; garbage collection as ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Final

from unlost.observe.patch import patch_asyncio

_ROUNDS: Final = 15
_CALLS: Final = 500


async def _nothing() -> None:
    pass


async def _fail() -> None:
    raise ValueError


async def _gather() -> None:
    await asyncio.gather(*[_nothing() for _ in range(10)])


async def _gather_fails() -> None:
    with contextlib.suppress(ValueError):
        await asyncio.gather(*[_fail() for _ in range(10)])


async def _shield() -> None:
    await asyncio.shield(_nothing())


async def _wait_for() -> None:
    await asyncio.wait_for(_nothing(), 10)


async def _to_thread() -> None:
    await asyncio.to_thread(int)


async def _create_task() -> None:
    await asyncio.create_task(_nothing())


WORK: Final[dict[str, Callable[[], Awaitable[None]]]] = {
    "gather of 10": _gather,
    "gather of 10 that all fail": _gather_fails,
    "shield": _shield,
    "wait_for": _wait_for,
    "to_thread": _to_thread,
    "create_task": _create_task,
}


def main() -> None:
    print(f"CPython {platform.python_version()}\n\n| | without, µs | with, µs | more |\n| --- | --- | --- | --- |")
    for name, work in WORK.items():
        without, with_it = _both(work)
        print(f"| `{name}` | {without:.2f} | {with_it:.2f} | {with_it - without:+.2f} |")


def _both(work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    without, with_it = [], []
    for _ in range(_ROUNDS):
        without.append(asyncio.run(_timed(work)))
        patch = patch_asyncio()
        with_it.append(asyncio.run(_timed(work)))
        patch.undo()
    return statistics.median(without), statistics.median(with_it)


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    for _ in range(_CALLS // 10):
        await work()
    start = time.perf_counter()
    for _ in range(_CALLS):
        await work()
    return (time.perf_counter() - start) / _CALLS * 1e6


if __name__ == "__main__":
    main()
