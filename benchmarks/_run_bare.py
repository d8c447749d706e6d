"""
The bare contender: a pool of workers over the lines of a file, nothing kept but two counts.

    python benchmarks/_run_bare.py JOB INPUTS ITEMS LIMIT
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import BinaryIO

from _run_jobs import JOBS
from _run_marks import Marks


async def run(job: str, lines: BinaryIO, items: int, limit: int) -> None:
    func, marks = JOBS[job], Marks(items)

    async def worker() -> None:
        for line in lines:
            try:
                await func(json.loads(line))
            except Exception:
                marks.ended(ok=False)
            else:
                marks.ended(ok=True)

    await asyncio.gather(*(worker() for _ in range(limit)))
    marks.print()


if __name__ == "__main__":
    with open(sys.argv[2], "rb") as inputs:
        asyncio.run(run(sys.argv[1], inputs, int(sys.argv[3]), int(sys.argv[4])))
