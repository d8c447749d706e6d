"""``unlost run --report`` and ``unlost show --html``."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from support.command import CommandLine
from unlost.report.html import MARK

JOB = """
import asyncio, os

async def work(item):
    await asyncio.sleep(item.get("sleep", 0))
    if item["n"] == 13:
        os.chdir("/")
    if item["n"] % 10 == 3:
        raise ConnectionError("refused </script>")
    return item["n"]
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    command = CommandLine(tmp_path)
    command.write("jobs.py", JOB)
    command.write_inputs(40)
    return command


def read(unlost: CommandLine, name: str = "report.html") -> str:
    return (unlost.folder / name).read_text(encoding="utf-8")


def test_a_run_writes_its_report_whatever_folder_its_job_went_to(unlost: CommandLine) -> None:
    done = unlost("run", "jobs:work", "in.jsonl", "--report", "report.html", "--keep-going")

    page = read(unlost)
    assert done.returncode == 1, done.stderr
    assert MARK in page
    assert "unlost retry work-1 --only " in page
    assert "refused &lt;/script&gt;" in page
    assert "36 ok, 4 failed" in page
    assert not list(unlost.folder.glob(".report*"))


def test_a_rerun_replaces_the_report(unlost: CommandLine) -> None:
    unlost("run", "jobs:work", "in.jsonl", "--report", "report.html", "--keep-going")
    unlost.write("jobs.py", JOB.replace("% 10 == 3", "% 10 == 33"))

    done = unlost("retry", "work-1", "--report", "report.html")

    assert done.returncode == 0, done.stderr
    assert "There are no errors." in read(unlost)


def test_a_run_that_is_stopped_writes_its_report_too(unlost: CommandLine) -> None:
    unlost.write("in.jsonl", '{"n": 1}\n{"n": 2, "sleep": 60}\n')
    process = unlost.start("run", "jobs:work", "in.jsonl", "--report", "report.html", "--grace", "0")
    deadline = time.monotonic() + 30
    while not list(unlost.folder.glob(".unlost/*.db")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGINT)

    assert process.wait(30) == 4, process.communicate()
    process.communicate()
    assert "1 ok, 1 in doubt" in read(unlost)


def test_show_writes_the_report_of_any_run_and_prints_nothing(unlost: CommandLine) -> None:
    unlost("run", "jobs:work", "in.jsonl", "--keep-going")

    done = unlost("show", "work-1", "--html", "report.html")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "36 ok, 4 failed" in read(unlost)


@pytest.mark.parametrize("name", ["in.jsonl", "jobs.py", ".", "nowhere/report.html"])
def test_a_file_that_is_no_report_is_not_replaced_and_nothing_is_started(unlost: CommandLine, name: str) -> None:
    done = unlost("run", "jobs:work", "in.jsonl", "--report", name)

    assert done.returncode == 2
    assert "report" in done.stderr
    assert unlost("runs").stdout.startswith("no runs")
    assert (unlost.folder / "jobs.py").read_text(encoding="utf-8") == JOB


def test_a_report_that_cannot_be_written_in_the_end_is_said_and_changes_no_exit_code(unlost: CommandLine) -> None:
    (unlost.folder / "away").mkdir()
    gone = "    if os.path.isdir('away'): os.rmdir('away')\n    await"
    unlost.write("jobs.py", JOB.replace("    await", gone))

    done = unlost("run", "jobs:work", "in.jsonl", "--report", "away/report.html", "--keep-going")

    assert done.returncode == 1
    assert "the report" in done.stderr
    assert "36 ok" in done.stdout


def test_one_error_and_the_whole_run_are_two_things(unlost: CommandLine) -> None:
    unlost("run", "jobs:work", "in.jsonl", "--keep-going")

    done = unlost("show", "work-1", "abc", "--html", "report.html")

    assert done.returncode == 2
    assert "Leave out the fingerprint" in done.stderr
