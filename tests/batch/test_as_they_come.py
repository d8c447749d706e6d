"""Outcomes as they come: in the order of their commits, a bounded number ahead of who takes them."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from pathlib import Path

import pytest

from unlost import Value
from unlost.batch import Run

pytestmark = pytest.mark.stock


async def test_they_come_in_the_order_of_the_results_file(tmp_path: Path) -> None:
    async def work(item: int) -> int:
        await asyncio.sleep(0.002 * (item % 7))
        if item % 10 == 3:
            raise ValueError(item)
        return item

    out = tmp_path / "out.jsonl"
    async with Run(work, range(300), out=out, folder=tmp_path / ".unlost", concurrency=20) as run:
        outcomes = [outcome async for outcome in run]

    values = [outcome.value for outcome in outcomes if isinstance(outcome, Value)]
    assert len(outcomes) == 300
    assert values == [json.loads(line)["value"] for line in out.read_text().splitlines()]
    assert values != sorted(values)


async def test_who_takes_them_as_they_come_needs_no_memory_for_those_that_were_taken(tmp_path: Path) -> None:
    async def work(_item: int) -> str:
        return "x" * 10_000

    async def peak(count: int) -> int:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        async with Run(work, range(count), folder=tmp_path / str(count), concurrency=10, durability="process") as run:
            taken = 0
            async for outcome in run:
                taken += len(outcome.unwrap()) == 10_000
        assert taken == count
        return tracemalloc.get_traced_memory()[1] - before

    tracemalloc.start()
    try:
        await peak(200)
        small, large = await peak(500), await peak(5000)
    finally:
        tracemalloc.stop()

    assert large - small < 5_000_000  # of the 45 MB that the values of the larger run have more
