"""Whatever is at the other end of the standard streams: the run, its journal and its exit code are right."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import CommandLine, logged
from support.waiting import until

pytestmark = pytest.mark.stock

JOBS = """
import asyncio, contextlib, os, sys

_log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


async def work(item):
    os.write(_log, f"start {item['n']}\\n".encode())
    if item["n"] == 3:
        raise ValueError("取引 · ×")
    return item["n"]


async def noisy(item):
    os.write(1, b"NOISE")
    os.write(2, b"NOISE")
    return item["n"]


@contextlib.asynccontextmanager
async def unopened():
    raise ConnectionError("no database here")
    yield


async def slow(item):
    os.write(_log, f"start {item['n']}\\n".encode())
    await asyncio.sleep(0.5)
"""
CLOSED = ">&-", "2>&-", "<&-", ">&- 2>&- <&-"
FULL = ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    command = CommandLine(tmp_path)
    command.write("jobs.py", JOBS)
    command.write_inputs(6)
    return command


def _shell(unlost: CommandLine, arguments: str, redirections: str) -> subprocess.CompletedProcess[bytes]:
    command = f"{sys.executable} -m unlost {arguments} {redirections}"
    return subprocess.run(
        ["sh", "-c", command], cwd=unlost.folder, env=unlost.environment, capture_output=True, timeout=60
    )


@pytest.mark.parametrize("redirections", [*CLOSED, *FULL])
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_stream_that_cannot_be_written_changes_neither_exit_code_nor_journal(
    unlost: CommandLine, redirections: str, form: str
) -> None:
    done = _shell(unlost, f"run jobs:work in.jsonl --out results.jsonl {form}", redirections)

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    books = unlost.json("show", "work-1")["books"]
    assert (books["ok"], books["failed"], books["balance"]) == (5, 1, True)
    assert len(unlost.results()) == 5


@pytest.mark.parametrize("redirections", [*CLOSED, *FULL])
def test_an_error_that_nobody_can_be_told_of_still_decides_the_exit_code(
    unlost: CommandLine, redirections: str
) -> None:
    done = _shell(unlost, "run jobs:unopened in.jsonl", redirections)

    assert done.returncode == 3
    assert unlost.json("show", "unopened-1")["books"]["pending"] == 6


@pytest.mark.parametrize("redirections", CLOSED)
@pytest.mark.parametrize("arguments", ["show work-1", "show work-1 ''", "show work-1 --json", "runs", "runs --json"])
def test_what_only_prints_ends_well_where_output_was_closed(
    unlost: CommandLine, arguments: str, redirections: str
) -> None:
    unlost("run", "jobs:work", "in.jsonl")

    done = _shell(unlost, arguments, redirections)

    assert (done.returncode, done.stderr) == (0, b"")


def test_what_only_prints_and_cannot_says_so(unlost: CommandLine) -> None:
    unlost("run", "jobs:work", "in.jsonl")

    done = _shell(unlost, "show work-1", ">/dev/full")

    assert (done.returncode, done.stderr.decode()) == (
        2,
        "unlost: standard output cannot be written: No space left on device\n",
    )


@pytest.mark.parametrize("redirections", CLOSED)
def test_what_is_written_to_a_closed_stream_does_not_end_up_in_the_results(
    unlost: CommandLine, redirections: str
) -> None:
    done = _shell(unlost, "run jobs:noisy in.jsonl --out results.jsonl", redirections)

    assert done.returncode == 0
    assert sorted(line["value"] for line in unlost.results()) == list(range(6))
    assert "NOISE" not in (unlost.folder / "results.jsonl").read_text()


def test_a_reader_who_left_does_not_change_the_exit_code_of_a_run(unlost: CommandLine) -> None:
    process = unlost.start("run", "jobs:work", "in.jsonl")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None

    _, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (1, "")


def test_ctrl_c_stops_a_run_whose_messages_nobody_reads(unlost: CommandLine) -> None:
    process = unlost.start("run", "jobs:slow", "in.jsonl", "-j", "2")
    until(lambda: len(logged(unlost.folder, "start")) == 2)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # as `2>&1 | tee log` does, which Ctrl-C ends first
    process.stderr.close()
    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=20) == 4
    assert unlost.json("show", "slow-1")["books"]["pending"] == 4


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "utf-16"},
    ],
    ids=["ascii", "latin-1", "C locale", "utf-16"],
)
def test_a_stream_without_unicode_gets_what_it_can_take(unlost: CommandLine, environment: dict[str, str]) -> None:
    unlost.environment |= environment
    encoding = environment.get("PYTHONIOENCODING", "ascii").partition(":")[0]

    done = _shell(unlost, "run jobs:work in.jsonl --out results.jsonl", "")
    shown = _shell(unlost, "show work-1 ''", "")
    as_json = _shell(unlost, "show work-1 '' --json", "")

    assert (done.returncode, shown.returncode, as_json.returncode) == (1, 0, 0), done.stderr + shown.stderr
    assert "1 failed" in done.stdout.decode(encoding)
    assert "ValueError: " in shown.stdout.decode(encoding)
    assert json.loads(as_json.stdout.decode(encoding))[0]["error"]["message"] == "取引 · ×"


def test_an_odd_argument_is_quoted_in_what_refuses_it(unlost: CommandLine) -> None:
    unlost.environment |= {"PYTHONIOENCODING": "ascii:strict"}

    refused = unlost("show", os.fsdecode(b"caf\xff-\xc3\xa9"))

    assert refused.returncode == 2
    assert "there is no run" in refused.stderr
