"""Of what came to an unknown end in a test, it is said at the end why that is not known."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

TAKES = """
import asyncio, pytest

async def boom():
    raise ValueError("it broke")

@pytest.mark.parametrize("number", range(4))
async def test_it(number):
    kept = []
    task = asyncio.create_task(boom())
    task.add_done_callback(lambda done: kept.append(done.exception()))
    await asyncio.sleep(0.01)
"""
SAID = "ValueError, raised at test_it.py:5 in boom: callback test_it.<locals>.<lambda> of its task took it."


@pytest.mark.parametrize("how", [[], ["-n", "2"]], ids=["alone", "xdist"])
def test_it_is_in_the_summary_and_on_the_page(tested: Tested, tmp_path: Path, how: list[str]) -> None:
    done = tested(TAKES, "--unlost", "--unlost-report", "found.html", *how)

    page = (tmp_path / "found.html").read_text(encoding="utf-8")
    assert "4 passed" in done.stdout
    assert f"unknown 4×, {SAID}" in done.stdout
    assert "unknown 4×, ValueError, raised at test_it.py:5 in boom: callback" in page
