"""The interpreter's own tests of asyncio, run under the drop-in: each ends as it does without."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LAUNCHER = Path(__file__).with_name("patched.py")
SUITES = {
    "test_tasks": 900,
    "test_futures": 150,
    "test_base_events": 100,
    "test_queues": 40,
    "test_taskgroups": 30,
    "test_timeouts": 30,
    "test_runners": 20,
    "test_waitfor": 15,
    "test_pep492": 10,
    "test_threads": 5,
} | ({"test_eager_task_factory": 35} if sys.version_info >= (3, 12) else {})


def run(suite: str, whose: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(LAUNCHER), suite, whose], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    if "missing" in report:
        pytest.skip(report["missing"])
    return report


@pytest.mark.slow
@pytest.mark.timeout(650)  # twice the interpreter's own, of which one alone takes 15 s
@pytest.mark.parametrize("suite", SUITES)
def test_each_ends_as_it_does_without(suite: str) -> None:
    stock, patched = run(suite, "stock"), run(suite, "patched")

    assert patched["failed"] == {}, "\n\n".join(patched["failed"].values())
    assert [patched[key] for key in ("ran", "skipped", "unexpected")] == [
        stock[key] for key in ("ran", "skipped", "unexpected")
    ]
    assert len(patched["ran"]) >= SUITES[suite]
    assert patched["missed"] == {}
    assert patched["kept"]["faults"] == 0, patched["kept"]["last_fault"]


@pytest.mark.slow
def test_the_suites_reach_what_is_patched() -> None:
    assert run("test_tasks", "patched")["kept"]["left"] > 5
