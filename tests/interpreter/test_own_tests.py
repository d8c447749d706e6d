"""The interpreter's own tests of task groups and timeouts, run on ours."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LAUNCHER = Path(__file__).with_name("swapped.py")

# When the time is up and cleanup fails, asyncio lets the cleanup's error out: that the time was up is only in its
# context. Ours raises DeadlineExceeded from that error, which is in its `errors`: every one of these wants the reverse.
CLEANUP_REPLACES_THE_TIMEOUT = {
    "TimeoutTests.test_foreign_exception_on_timeout": (3, 11),
    "TimeoutTests.test_foreign_exception_on_timeout_2": (3, 13),
    "TimeoutTests.test_timeout_taskgroup": (3, 13),
}
EXPECTED_TO_FAIL = {
    "test_timeouts": {name for name, since in CLEANUP_REPLACES_THE_TIMEOUT.items() if sys.version_info >= since},
    "test_taskgroups": set(),
}
USED = {
    "test_timeouts": {"asyncio.timeout", "asyncio.timeout_at"},
    "test_taskgroups": {"asyncio.taskgroups.TaskGroup"},
}


def run(suite: str, whose: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(LAUNCHER), suite, whose], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    if "missing" in report:
        pytest.skip(report["missing"])
    return report


def short(test: str) -> str:
    return ".".join(test.split(".")[-2:])


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["test_timeouts", "test_taskgroups"])
def test_ours_passes_the_interpreters_own_tests(suite: str) -> None:
    report = run(suite, "ours")

    assert USED[suite] <= report["is ours"].keys()
    assert all(report["is ours"].values())
    assert report["entered"] >= report["run"] / 2
    assert report["run"] == len(report["ran"]) > 25
    failed = {short(test): text for test, text in report["failed"].items()}
    assert failed.keys() == EXPECTED_TO_FAIL[suite], "\n\n".join(
        text for test, text in failed.items() if test not in EXPECTED_TO_FAIL[suite]
    )
    assert (report["skipped"], report["unexpected"]) == ({}, [])


@pytest.mark.slow
def test_without_the_swap_the_listed_exceptions_are_there_and_pass() -> None:
    report = run("test_timeouts", "theirs")

    assert EXPECTED_TO_FAIL["test_timeouts"] <= {short(test) for test in report["ran"]}
    assert report["failed"] == {}
    assert report["entered"] == 0
    assert not any(report["is ours"].values())


def test_a_missing_test_package_is_told(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['test'] = None; sys.argv = ['swapped.py', 'test_timeouts', 'ours']"
    script = f"{hide}; import runpy; runpy.run_path({str(LAUNCHER)!r}, run_name='__main__')"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)

    assert "comes without its tests" in json.loads(done.stdout)["missing"]
