"""
``kill -9`` during each command: afterwards everything works, the books balance, and nothing that was known is lost.

Each command is killed before each change that it makes to files, one after the other; those that perform items, which
do most of their work inside of SQLite, at random moments besides.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import CommandLine, logged
from support.trouble import KILLED, killed_at
from unlost.batch import Books, Folder, read_books

pytestmark = [pytest.mark.stock, pytest.mark.slow, pytest.mark.timeout(300)]

ITEMS = 120
DEAD = ITEMS // 3

JOB = """
import asyncio, os, pathlib, random

_log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


async def work(item, context):
    n = item["n"]
    os.write(_log, f"start {n}\\n".encode())
    if n % 3 == 0:
        await context.keep("answer", n)
    await asyncio.sleep(random.uniform(0.001, 0.03))
    if n % 3 == 0 and not pathlib.Path("corrected").exists():
        raise LookupError(f"item {n}")
    return n
"""


class Prepared:
    """A run that has ended, with dead letters; each case begins with it as it was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "here"
        self.folder.mkdir()
        self._copy = folder / "copy"
        self.unlost = unlost = CommandLine(self.folder)
        unlost.write("jobs.py", JOB)
        unlost.write_inputs(ITEMS)
        ended = unlost("run", "jobs:work", "in.jsonl", "-j", "10", "--out", "results.jsonl", "--quiet")
        assert ended.returncode == 1, ended.stderr
        self.keep()

    def keep(self) -> None:
        """Let each case from now on begin with what is there now."""
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self.folder, self._copy)

    def restore(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self._copy, self.folder)

    def killed_everywhere(self, *arguments: str) -> Iterator[int]:
        """Yield once for each change that the command makes to files, when it was killed before that."""
        for number in range(1, 200):
            self.restore()
            with killed_at(self.unlost, number):
                ended = self.unlost(*arguments)
            if ended.returncode != KILLED:
                assert ended.returncode in (0, 1), ended.stderr
                assert number > 1, "it was to be killed, and was not"
                return
            yield number

    def books(self) -> Books:
        """Return what the journal says: read here as ``show`` and ``runs`` do, which takes no process."""
        folder = Folder(self.folder / ".unlost")
        assert folder.runs() == ["work-1"]
        with folder.open("work-1") as connection:
            assert connection is not None
            books = read_books(connection)
        assert books.balance
        return books

    def correct(self) -> None:
        self.unlost.write("corrected", "")
        self.keep()

    def check_all_ok(self) -> None:
        books = self.books()
        assert (books.ok, books.failed, books.in_doubt, books.pending) == (ITEMS, 0, 0, 0)
        lines = self.unlost.results()
        assert sorted(line["value"] for line in lines) == list(range(ITEMS))


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return Prepared(tmp_path)


@pytest.fixture
def generator() -> random.Random:
    seed = int(os.environ.get("UNLOST_SEED", random.randrange(10**6)))
    print(f"UNLOST_SEED={seed}")
    return random.Random(seed)


def test_show_runs_and_export_change_nothing_wherever_they_are_killed(prepared: Prepared) -> None:
    before = (prepared.folder / ".unlost" / "work-1.db").read_bytes()

    for arguments in (
        ("show", "work-1"),
        ("runs",),
        ("export", "work-1", "--all", "--with-input"),
        ("export", "work-1", "--all", "--out", "all.jsonl"),
    ):
        for _number in prepared.killed_everywhere(*arguments):
            assert (prepared.folder / ".unlost" / "work-1.db").read_bytes() == before
            assert not (prepared.folder / "all.jsonl").exists(), "half an export under its name"

    prepared.restore()
    assert prepared.books().failed == DEAD
    assert prepared.unlost("export", "work-1", "--all", "--out", "all.jsonl").returncode == 0
    assert len((prepared.folder / "all.jsonl").read_text().splitlines()) == ITEMS


def test_an_export_that_replaces_a_file_leaves_the_old_one_or_the_new_one(prepared: Prepared) -> None:
    prepared.unlost.write("all.jsonl", "old\n")
    prepared.keep()
    seen = set()

    for _number in prepared.killed_everywhere("export", "work-1", "--ok", "--out", "all.jsonl", "--force"):
        seen.add(len((prepared.folder / "all.jsonl").read_text().splitlines()))

    assert seen <= {1, ITEMS - DEAD}
    assert 1 in seen


def test_a_purge_that_was_killed_leaves_the_run_or_nothing_that_a_command_stumbles_over(prepared: Prepared) -> None:
    left = set()

    for _number in prepared.killed_everywhere("purge", "work-1", "--yes"):
        there = "work-1" in prepared.unlost("runs").stdout
        left.add(there)
        if there:
            assert prepared.books().ok == ITEMS - DEAD
            assert prepared.unlost("purge", "work-1", "--yes").returncode == 0
        anew = prepared.unlost("run", "jobs:work", "in.jsonl", "--first", "3", "--quiet")
        assert anew.returncode == 1, anew.stderr

    assert left == {True, False}


def test_a_purge_of_inputs_that_was_killed_is_done_by_the_next(prepared: Prepared) -> None:
    for _number in prepared.killed_everywhere("purge", "work-1", "--inputs"):
        assert prepared.books().failed == DEAD
        assert prepared.unlost("purge", "work-1", "--inputs").returncode == 0
        assert prepared.books().ok == ITEMS - DEAD

    prepared.correct()
    assert prepared.unlost("retry", "work-1", "--quiet").returncode == 0


def test_a_retry_that_was_killed_anywhere_goes_on(prepared: Prepared) -> None:
    prepared.correct()

    for _number in prepared.killed_everywhere("retry", "work-1", "--quiet"):
        books = prepared.books()
        assert books.ok >= ITEMS - DEAD
        _go_on(prepared, books)
        prepared.check_all_ok()


def test_a_resume_that_was_killed_anywhere_goes_on(prepared: Prepared) -> None:
    prepared.unlost.write_inputs(ITEMS + 30)
    prepared.unlost.write("corrected", "")
    prepared.keep()

    for _number in prepared.killed_everywhere("resume", "work-1", "--quiet"):
        books = prepared.books()
        assert books.failed == DEAD
        ended = prepared.unlost("resume", "work-1", "--in-doubt", "retry", "--quiet")
        assert ended.returncode == 1, ended.stderr
        assert prepared.books().ok == ITEMS - DEAD + 30


def test_a_retry_and_its_resumes_killed_at_random_moments_start_nothing_again_that_was_not_in_doubt(
    prepared: Prepared, generator: random.Random
) -> None:
    prepared.correct()
    (prepared.folder / "log.txt").unlink()
    in_doubt: list[int] = []
    killed = 0

    for _ in range(6):
        books = prepared.books()
        arguments = ("retry", "work-1") if books.failed else ("resume", "work-1", "--in-doubt", "retry")
        killed += _killed_when_it_works(prepared, generator, *arguments, "-j", "3", "--quiet")
        shown = prepared.unlost.json("show", "work-1")
        in_doubt += [entry["line"] - 1 for entry in shown["in_doubt"]]
    _go_on(prepared, prepared.books())

    prepared.check_all_ok()
    assert killed >= 2
    starts = logged(prepared.folder, "start")
    assert len(starts) <= DEAD + len(in_doubt)
    assert all(starts.count(n) <= 1 + in_doubt.count(n) for n in set(starts))


def _go_on(prepared: Prepared, books: Books) -> None:
    if books.failed:
        ended = prepared.unlost("retry", "work-1", "--quiet")
    else:
        ended = prepared.unlost("resume", "work-1", "--in-doubt", "retry", "--quiet")
    assert ended.returncode in (0, 1), ended.stderr
    if books.failed and prepared.books().in_doubt + prepared.books().pending:
        prepared.unlost("resume", "work-1", "--in-doubt", "retry", "--quiet")


def _killed_when_it_works(prepared: Prepared, generator: random.Random, *arguments: str) -> bool:
    """Kill a command at a random moment after its first item started; return whether it was still alive."""
    log = prepared.folder / "log.txt"
    size = log.stat().st_size if log.exists() else 0
    process = prepared.unlost.start(*arguments)
    while process.poll() is None and (log.stat().st_size if log.exists() else 0) == size:
        time.sleep(0.002)  # until the log of another process grows
    time.sleep(generator.uniform(0, 0.15))
    process.kill()
    process.communicate()
    return process.returncode == KILLED
