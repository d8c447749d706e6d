"""What the benchmarks of `unlost run` run over each input: the same functions for every contender."""

from __future__ import annotations

import asyncio
import random
from typing import Any


async def noop(item: dict[str, Any]) -> int:  # Any: JSON
    """Do nothing: what is left is the runner's own cost."""
    return item["n"]


async def wait(item: dict[str, Any]) -> int:  # Any: JSON
    """Wait for 30 to 70 ms, as for a service."""
    await asyncio.sleep(random.uniform(0.03, 0.07))
    return item["n"]


JOBS = {"noop": noop, "wait": wait}
