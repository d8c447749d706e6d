"""Ctrl-C and SIGTERM: the journal is right, and the last line tells how to go on."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.command import CommandLine, logged

pytestmark = pytest.mark.stock

JOB = """
import asyncio, os

_log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def log(word, n):
    os.write(_log, f"{word} {n}\\n".encode())


async def work(item):
    n = item["n"]
    log("start", n)
    try:
        await asyncio.sleep(item.get("s", 0.3))
    except asyncio.CancelledError:
        if n == 1:
            log("kept", n)
            return "in spite of it"
        raise
    log("end", n)
    return n


class Refused(Exception):
    status_code = 401


async def refused(item):
    await work(item)
    raise Refused


async def stubborn(item):
    log("start", item["n"])
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            log("ignored", item["n"])
"""

BLOCKING = """
import time

async def blocking(item):
    with open("log.txt", "w") as log:
        log.write("start 1\\n")
    while True:
        time.sleep(1)
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    command = CommandLine(tmp_path)
    command.write("jobs.py", JOB)
    return command


def _await_log(unlost: CommandLine, process: subprocess.Popen[str], word: str, count: int) -> None:
    until = time.monotonic() + 20
    while len(logged(unlost.folder, word)) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, f"{count} × {word} never came"
        time.sleep(0.01)  # until the log of another process grows


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_what_runs_end_and_starts_nothing_more(
    unlost: CommandLine, number: signal.Signals
) -> None:
    unlost.write_inputs(200)
    process = unlost.start("run", "jobs:work", "in.jsonl", "-j", "5", "--out", "results.jsonl")
    _await_log(unlost, process, "start", 5)

    process.send_signal(number)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 4, err
    started = logged(unlost.folder, "start")
    assert sorted(started) == sorted(logged(unlost.folder, "end"))
    assert sorted(line["value"] for line in unlost.results()) == sorted(started)
    books = unlost.json("show", "work-1")["books"]
    assert (books["ok"], books["in_doubt"], books["pending"]) == (len(started), 0, 200 - len(started))
    assert books["balance"]
    assert "starting nothing more" in err
    assert out.rstrip().splitlines()[-1].strip() == "go on: unlost resume work-1      exit 4"
    assert unlost("resume", "work-1", "--quiet", "-j", "200").returncode == 0
    assert sorted(line["value"] for line in unlost.results()) == list(range(200))


def test_the_second_signal_cancels_and_what_that_ends_is_in_doubt(unlost: CommandLine) -> None:
    unlost.write("in.jsonl", "".join(f'{{"n": {n}, "s": 50}}\n' for n in range(20)))
    process = unlost.start("run", "jobs:work", "in.jsonl", "-j", "5", "--out", "results.jsonl")
    _await_log(unlost, process, "start", 5)

    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "starting nothing more" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 4, err
    view = unlost.json("show", "work-1")
    assert [line["value"] for line in unlost.results()] == ["in spite of it"]
    assert sorted(entry["line"] - 1 for entry in view["in_doubt"]) == [0, 2, 3, 4]
    assert (view["books"]["ok"], view["books"]["in_doubt"], view["books"]["pending"]) == (1, 4, 15)
    assert "unlost resume work-1 --in-doubt retry" in out


def test_a_halt_after_the_first_signal_is_said_and_the_exit_code_is_that_of_the_signal(unlost: CommandLine) -> None:
    unlost.write_inputs(20)
    process = unlost.start("run", "jobs:refused", "in.jsonl", "-j", "1", "--json")
    _await_log(unlost, process, "start", 1)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)

    summary = json.loads(out)
    assert (process.returncode, summary["exit"], summary["books"]["pending"]) == (4, 4, 20), err
    assert "was halted: " in err


def test_what_outlives_its_grace_is_cancelled(unlost: CommandLine) -> None:
    unlost.write("in.jsonl", '{"n": 0, "s": 50}\n')
    process = unlost.start("run", "jobs:work", "in.jsonl", "--grace", "200ms")
    _await_log(unlost, process, "start", 1)

    process.send_signal(signal.SIGINT)
    _out, err = process.communicate(timeout=20)

    assert process.returncode == 4, err
    assert unlost.json("show", "work-1")["books"]["in_doubt"] == 1


@pytest.mark.parametrize("third", [signal.SIGINT, signal.SIGTERM])
def test_the_third_signal_ends_a_process_whose_jobs_ignore_cancellation(
    unlost: CommandLine, third: signal.Signals
) -> None:
    unlost.write_inputs(3)
    process = unlost.start("run", "jobs:stubborn", "in.jsonl")
    _await_log(unlost, process, "start", 3)

    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "starting nothing more" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _await_log(unlost, process, "ignored", 3)
    process.send_signal(third)
    process.communicate(timeout=20)

    assert process.returncode == -third
    books = unlost.json("show", "stubborn-1")["books"]
    assert (books["in_doubt"], books["balance"]) == (3, True)


def test_a_job_that_never_lets_the_loop_turn_is_ended_by_the_third(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write(
        "jobs.py", JOB + "\n\nasync def blocking(item):\n    log('start', 1)\n    while True:\n        time.sleep(1)\n"
    )
    unlost.write("jobs.py", "import time\n" + (tmp_path / "jobs.py").read_text())
    unlost.write_inputs(1)
    process = unlost.start("run", "jobs:blocking", "in.jsonl")
    while not logged(tmp_path, "start"):
        time.sleep(0.01)

    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    process.communicate(timeout=20)

    assert process.returncode == -signal.SIGINT
    assert unlost.json("show", "blocking-1")["books"]["in_doubt"] == 1
