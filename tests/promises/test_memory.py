"""
Memory stays flat, however many items there are.

SQLite's page cache grows to its bound first. So the smaller run is one that fills the cache already, and whatever the
larger one takes beyond that is held for its items.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import CommandLine

JOB = "async def nothing(item):\n    return item\n"
TEXT = "x" * 500
MEGABYTES = 8  # what the allocator may do with five times the items; their inputs alone are 80 MB more

# The peak of a child that is started directly would include what the test process had when it started it.
MEASURE = """
import json, resource, subprocess, sys

done = subprocess.run([sys.executable, "-m", "unlost", *sys.argv[1:]], stdout=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([done.returncode, peak * (1 if sys.platform == "darwin" else 1024)]))
"""


@pytest.mark.slow
@pytest.mark.stock
@pytest.mark.timeout(200)
def test_200_000_items_take_no_more_memory_than_40_000(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", JOB)

    small, large = (_peak(unlost, count) for count in (40_000, 200_000))

    print(f"peak RSS: {small / 2**20:.1f} MB for 40,000 items, {large / 2**20:.1f} MB for 200,000")
    assert large - small < MEGABYTES * 2**20


def _peak(unlost: CommandLine, count: int) -> int:
    """Run so many items; return the peak of the process in bytes."""
    source = unlost.folder / f"{count}.jsonl"
    with source.open("w") as lines:
        lines.writelines(f'{{"n": {number}, "text": "{TEXT}"}}\n' for number in range(count))
    results = unlost.folder / f"{count}.results.jsonl"
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, "run", "jobs:nothing", source.name, "--out", results.name, "--quiet"],
        cwd=unlost.folder,
        env=unlost.environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    code, peak = json.loads(measured.stdout)
    assert code == 0, measured.stderr
    with results.open() as lines:
        numbers = sorted(int(re.findall(r'"n": (\d+)', line)[0]) for line in lines)
    assert numbers == list(range(count))
    return int(peak)
