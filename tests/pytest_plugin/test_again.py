"""A test that runs several times, as plugins do that run again what failed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

RUNS_EACH_THRICE = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for run in range(1, 4):
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if report.when == "call":
                print(f"run {run} {report.outcome}", str(report.longrepr or "").partition(chr(10))[0])
            if run == 3 or report.failed:
                item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
LOSES = """
import asyncio

runs = []

async def boom():
    raise ValueError(f"it broke in run {len(runs)}")

async def lose():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)

def test_it():
    runs.append(1)
    if len(runs) in LOSING:
        asyncio.run(lose())

def test_next():
    pass
"""


@pytest.mark.parametrize("losing", [(), (1,), (2,), (3,), (1, 2, 3)])
def test_what_each_run_of_a_test_loses_fails_that_run(tested: Tested, tmp_path: Path, losing: tuple[int, ...]) -> None:
    (tmp_path / "conftest.py").write_text(RUNS_EACH_THRICE, encoding="utf-8")

    done = tested(LOSES.replace("LOSING", str(losing)), "--unlost", "-s")

    assert "INTERNALERROR" not in done.stdout, done.stdout + done.stderr
    for run in range(1, 4):
        how = f"failed unlost: lost: ValueError: it broke in run {run} " if run in losing else "passed"
        assert f"run {run} {how}" in done.stdout
    assert "found after the test had ended" not in done.stdout
