"""Full disks, readers that will not leave, two writers, a process that is stopped: nothing acknowledged is lost."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.command import LOGGING_JOB, CommandLine, logged
from support.trouble import without_room
from support.waiting import until

pytestmark = [pytest.mark.stock, pytest.mark.timeout(200)]

CORRECTED_BY_A_FILE = """
import pathlib


async def work(item, context):
    await context.keep("answer", "x" * 500)
    if item["n"] % 2 and not pathlib.Path("corrected").exists():
        raise LookupError(item["n"])
    return item["n"]
"""

ENDLESS = """
import asyncio


async def work(item):
    print("started", flush=True)
    await asyncio.sleep(1000 if item["n"] else 0)
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    folder = tmp_path / "here"
    folder.mkdir()
    return CommandLine(folder)


# A full disk


def test_a_run_whose_disk_is_full_halts_and_with_room_it_goes_on(unlost: CommandLine) -> None:
    unlost.write("jobs.py", LOGGING_JOB)
    unlost.write_inputs(2000)
    arguments = ("run", "jobs:work", "in.jsonl", "-j", "20", "--out", "results.jsonl", "--quiet")
    with without_room(unlost, 600_000):
        full = unlost(*arguments)
    acknowledged = {line["key"]: line["value"] for line in unlost.results()}
    books = unlost.json("show", "work-1")["books"]
    ended = unlost(*arguments, "--in-doubt", "retry")
    results = unlost.results()

    assert full.returncode == 3, full.stderr
    assert "cannot write the journal" in full.stderr
    assert acknowledged
    assert books["balance"]
    assert books["ok"] >= len(acknowledged)
    assert ended.returncode == 1, ended.stderr
    assert acknowledged.items() <= {line["key"]: line["value"] for line in results}.items()
    assert sorted(line["value"] for line in results) == sorted(n * n for n in range(2000) if n % 10 != 3)
    # each start is known of: what was in doubt was started twice at most, all else once
    assert len(logged(unlost.folder, "start")) <= 2000 + books["in_doubt"]


def test_a_results_file_that_cannot_grow_halts_the_run_and_the_journal_has_all(unlost: CommandLine) -> None:
    unlost.write("jobs.py", LOGGING_JOB.replace("return n * n", "return [n] * 4000"))
    unlost.write_inputs(60)
    arguments = ("run", "jobs:work", "in.jsonl", "-j", "5", "--out", "results.jsonl", "--quiet")
    with without_room(unlost, 900_000):
        full = unlost(*arguments)
    books = unlost.json("show", "work-1")["books"]
    ended = unlost(*arguments, "--in-doubt", "retry")

    assert full.returncode == 3, full.stderr
    assert books["balance"]
    assert ended.returncode == 1, ended.stderr
    assert sorted(line["value"][0] for line in unlost.results()) == [n for n in range(60) if n % 10 != 3]


def test_a_retry_whose_disk_is_full_halts_and_with_room_it_goes_on(unlost: CommandLine) -> None:
    unlost.write("jobs.py", CORRECTED_BY_A_FILE)
    unlost.write_inputs(1000)
    unlost("run", "jobs:work", "in.jsonl", "--quiet")
    size = (unlost.folder / ".unlost" / "work-1.db").stat().st_size
    unlost.write("corrected", "")
    with without_room(unlost, size // 3):
        full = unlost("retry", "work-1", "--quiet")
    halted = unlost.json("show", "work-1")["books"]
    if halted["failed"]:
        unlost("retry", "work-1", "--quiet")
    ended = unlost("resume", "work-1", "--in-doubt", "retry", "--quiet")
    books = unlost.json("show", "work-1")["books"]

    assert full.returncode in (2, 3), full.stderr  # 2: it could not even begin
    assert halted["balance"]
    assert halted["ok"] >= 500
    assert ended.returncode == 0, ended.stderr
    assert (books["ok"], books["balance"]) == (1000, True)


def test_an_export_whose_disk_is_full_says_so_and_leaves_no_half_file(unlost: CommandLine) -> None:
    unlost.write("jobs.py", CORRECTED_BY_A_FILE)
    unlost.write_inputs(1000)
    unlost("run", "jobs:work", "in.jsonl", "--quiet")
    with without_room(unlost, 10_000):
        full = unlost("export", "work-1", "--all", "--out", "all.jsonl")
    left = sorted(path.name for path in unlost.folder.iterdir())
    ended = unlost("export", "work-1", "--all", "--out", "all.jsonl")

    assert full.returncode in (2, 3)
    assert "all.jsonl" in full.stderr
    assert not any(name.startswith("all") or name.endswith(".tmp") for name in left), left
    assert ended.returncode == 0
    assert len((unlost.folder / "all.jsonl").read_text().splitlines()) == 1000


# Readers


def test_a_reader_that_pins_the_log_for_the_whole_run_holds_up_nothing(unlost: CommandLine) -> None:
    unlost.write("jobs.py", LOGGING_JOB)
    unlost.write_inputs(100)
    unlost("run", "jobs:work", "in.jsonl", "--first", "10", "--quiet")
    unlost.write_inputs(3000)
    journal = unlost.folder / ".unlost" / "work-1.db"

    process = unlost.start("run", "jobs:work", "in.jsonl", "--quiet")
    log = journal.with_name("work-1.db-wal")
    until(log.exists)
    with contextlib.closing(sqlite3.connect(journal, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        (then,) = reader.execute("SELECT count(*) FROM outcome").fetchone()
        _out, told = process.communicate(timeout=100)
        (still,) = reader.execute("SELECT count(*) FROM outcome").fetchone()
        books = unlost.json("show", "work-1")["books"]
        pinned = log.stat().st_size
    left = [path.name for path in journal.parent.glob("work-1.db*")]

    assert process.returncode == 1, told
    assert then == still < 3000
    assert (books["ok"], books["failed"], books["balance"]) == (2700, 300, True)
    assert pinned > 0
    assert left == ["work-1.db"]
    assert unlost.json("show", "work-1")["books"] == books


# Two writers


@contextmanager
def running(unlost: CommandLine) -> Iterator[subprocess.Popen[str]]:
    """Have a run under way that does not end by itself."""
    unlost.write("jobs.py", ENDLESS)
    unlost.write_inputs(5)
    process = unlost.start("run", "jobs:work", "in.jsonl", "--quiet")
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "jobs:work", "in.jsonl"),
        ("resume", "work-1"),
        ("retry", "work-1", "--in-doubt"),
        ("purge", "work-1", "--yes"),
        ("purge", "work-1", "--inputs"),
    ],
    ids=" ".join,
)
def test_a_second_writer_of_a_run_is_refused_and_changes_nothing(
    unlost: CommandLine, arguments: tuple[str, ...]
) -> None:
    with running(unlost) as process:
        before = unlost.json("show", "work-1")
        second = unlost(*arguments)
        after = unlost.json("show", "work-1")
        alive = process.poll() is None

    assert second.returncode == 2
    assert f"is being written by process {process.pid}" in second.stderr
    assert alive
    assert (before["live"], before["books"]) == (True, after["books"])


def test_a_run_that_is_being_written_can_be_shown_listed_and_exported(unlost: CommandLine) -> None:
    with running(unlost):
        until(lambda: unlost.json("show", "work-1")["books"]["ok"] == 1)
        exported = unlost("export", "work-1", "--ok")
        listed = unlost("runs", "--json")

    assert exported.returncode == 0
    assert [json.loads(line)["line"] for line in exported.stdout.splitlines()] == [1]
    assert json.loads(listed.stdout)


# A process that is stopped


def test_a_run_that_was_stopped_for_seconds_goes_on_and_its_books_balance(unlost: CommandLine) -> None:
    unlost.write("jobs.py", LOGGING_JOB)
    unlost.write_inputs(1500)
    process = unlost.start(
        "run", "jobs:work", "in.jsonl", "-j", "20", "--timeout", "0.5", "--attempts", "2", "--out", "results.jsonl",
        "--quiet",
    )  # fmt: skip
    for pause in (1.0, 0.2, 1.0):
        began = len(logged(unlost.folder, "start"))
        until(lambda seen=began: len(logged(unlost.folder, "start")) > seen or process.poll() is not None)
        process.send_signal(signal.SIGSTOP)
        time.sleep(pause)  # of the machine's, or the user's, doing
        process.send_signal(signal.SIGCONT)
    _out, told = process.communicate(timeout=100)

    books = unlost.json("show", "work-1")["books"]

    assert process.returncode == 1, told
    assert (books["ok"] + books["failed"], books["in_doubt"], books["balance"]) == (1500, 0, True)
    assert books["failed"] >= 150
    assert len(unlost.results()) == books["ok"]


def test_a_second_command_says_that_the_writer_is_stopped(unlost: CommandLine) -> None:
    with running(unlost) as process:
        process.send_signal(signal.SIGSTOP)
        second = unlost("resume", "work-1")
        process.send_signal(signal.SIGCONT)

    assert second.returncode == 2
    assert f"process {process.pid}, which is stopped" in second.stderr
