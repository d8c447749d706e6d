"""The command line over inputs that kill the process that works on them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from support.command import CommandLine, logged

pytestmark = pytest.mark.stock

EXITING = """
import asyncio, os

_log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


async def work(item):
    n = item["n"]
    os.write(_log, f"start {n}\\n".encode())
    if n == 7:
        os._exit(9)
    await asyncio.sleep(0.02)
    os.write(_log, f"end {n}\\n".encode())
    return n
"""


def test_an_item_that_ends_the_process_takes_no_innocent_item_with_it_for_good(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", EXITING)
    unlost.write_inputs(50)
    command = ("run", "jobs:work", "in.jsonl", "-j", "5", "--in-doubt", "retry", "--out", "results.jsonl")

    deaths = [unlost(*command).returncode for _ in range(2)]
    suspects = {line - 1 for line in (one["line"] for one in unlost.json("show", "work-1")["in_doubt"])}
    last = unlost(*command)

    assert deaths == [9, 9]
    assert 7 in suspects
    assert len(suspects) <= 10
    assert last.returncode == 1, last.stderr
    assert "49 ok · 1 failed · 0 in doubt" in last.stdout
    assert "WorkerLost run alone, its process exited with code 9 before it said" in last.stdout
    assert sorted(line["value"] for line in unlost.results()) == [n for n in range(50) if n != 7]
    starts, ends = Counter(logged(tmp_path, "start")), Counter(logged(tmp_path, "end"))
    assert {n for n in starts if starts[n] > 1} <= suspects
    assert starts[7] == 3
    assert set(ends) == set(range(50)) - {7}
    assert max(starts.values()) <= 3


DEADLY = """
import asyncio, ctypes, os


async def work(item, ctx):
    n = item["n"]
    await asyncio.sleep(0.01 * n)
    if n == 1:
        ctypes.string_at(0)
    if n == 2 and not os.path.exists("fixed"):
        ctx.spend(usd="0.5")
        await ctx.keep("answer", {"paid": os.getpid()})
        os.abort()
    return ctx.kept.get("answer", {}).get("paid")
"""


def test_each_death_is_one_dead_letter_with_what_it_spent_and_kept_and_its_rerun_is_alone_too(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", DEADLY)
    unlost.write_inputs(4)
    command = ("run", "jobs:work", "in.jsonl", "--in-doubt", "retry")

    deaths = [unlost(*command).returncode for _ in range(2)]
    last = unlost(*command)
    groups = unlost.json("show", "work-1")["groups"]
    unlost.write("fixed", "")
    retried = unlost("retry", "work-1")

    assert deaths == [-11, -11]
    assert last.returncode == 1, last.stderr
    assert "2 ok · 2 failed · 0 in doubt" in last.stdout
    assert sorted(group["title"] for group in groups) == [
        "WorkerLost run alone, its process was ended by SIGABRT",
        "WorkerLost run alone, its process was ended by SIGSEGV",
    ]
    assert "jobs.py" in last.stderr  # where, as the interpreter's own traceback has it
    assert "3 ok · 1 failed · 0 in doubt" in retried.stdout, retried.stderr
    with closing(sqlite3.connect(tmp_path / ".unlost" / "work-1.db")) as journal:
        kept = [json.loads(value) for (value,) in journal.execute("SELECT value FROM kept")]
        spent = [nano for (nano,) in journal.execute("SELECT nano_usd FROM spend")]
        values = [json.loads(value) for (value,) in journal.execute("SELECT value FROM outcome WHERE ok")]
    assert spent == [500_000_000]
    assert kept[0]["paid"] in values


def test_what_cannot_be_imported_stays_in_doubt_and_the_rest_is_done(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    program = unlost.write("program.py", _PROGRAM)
    unlost.write_inputs(10)

    def run() -> subprocess.CompletedProcess[str]:
        environment = unlost.environment
        return subprocess.run([sys.executable, program], cwd=tmp_path, env=environment, capture_output=True, text=True)

    deaths = [run().returncode for _ in range(2)]
    last = run()

    assert deaths == [9, 9]
    assert last.returncode == 0, last.stderr
    ok, in_doubt, balance = json.loads(last.stdout)
    assert ok + in_doubt == 10
    assert in_doubt >= 1
    assert balance
    assert last.stderr.count("CannotRunAlone") == 1
    assert "work is defined in the program itself, or in a notebook. Write it into a module" in last.stderr


_PROGRAM = """
import asyncio, json, os
from unlost.batch import Run


async def work(item):
    await asyncio.sleep(0.02)
    if item["n"] == 1:
        os._exit(9)


async def main():
    async with Run(work, "in.jsonl", concurrency=3, in_doubt="retry") as run:
        pass
    print(json.dumps([run.books.ok, run.books.in_doubt, run.books.balance]))


asyncio.run(main())
"""
