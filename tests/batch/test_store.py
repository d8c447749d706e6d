"""The journal of a running run: what is refused, what a full disk does, and how it is closed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from support.command import CommandLine, logged
from support.journals import books_of
from unlost.batch._folder import Folder
from unlost.batch._lock import Locked, is_held
from unlost.batch._plan import Where, plan_run
from unlost.batch._store import Store
from unlost.batch.journal._door import SQLITE, Door
from unlost.batch.journal._journal import Claimed, Ended
from unlost.batch.journal._spend import Amount
from unlost.batch.journal._writer import JournalError
from unlost.batch.paid._purse import BudgetSpent
from unlost.batch.source._spool import spool
from unlost.batch.target._target import target_of
from unlost.errors import UsageError

pytestmark = pytest.mark.stock


class Owner:
    """Who is told."""

    def __init__(self) -> None:
        self.acknowledged: list[Ended] = []
        self.known = 0
        self.scans: list[Exception | None] = []
        self.errors: list[JournalError] = []
        self.spends: list[tuple[Amount, BudgetSpent | None]] = []

    def acknowledge(self, ended: Ended) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.acknowledged.append(ended)

    def entered(self, records: int) -> None:
        self.known += records

    def scanned(self, error: Exception | None) -> None:
        self.scans.append(error)

    def spent(self, total: Amount, over: BudgetSpent | None) -> None:
        self.spends.append((total, over))

    def broken(self, error: JournalError) -> None:
        self.errors.append(error)


async def same(item: object) -> object:
    return item


class Bench:
    def __init__(self, folder: Path, text: str = "a\nb\nc\n", *, door: Door = SQLITE, **flags: object) -> None:
        (folder / "in.txt").write_text(text)
        self.out = folder / "out.jsonl"
        where = Where(folder / "runs", door=door)
        self.plan = plan_run(target_of(same), folder / "in.txt", flags, where, out=self.out)
        self.owner = Owner()
        self.store = Store(self.plan, self.owner)
        self.folder = Folder(folder / "runs")

    def open(self) -> Bench:
        self.store.open()
        self.store.start_scan()
        return self

    @property
    def journal(self) -> Path:
        return self.folder.journal(self.plan.run)

    def lines(self) -> list[str]:
        return [json.loads(line)["key"] for line in self.out.read_text().splitlines()]


def ended(claimed: Claimed) -> Ended:
    return Ended(claimed.item, claimed.key, claimed.line, True, 1, 1, "1")


async def test_an_outcome_is_acknowledged_on_the_loop_and_in_the_results_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path).open()
    outcome = ended(await anext(bench.store.claims(lambda: 0)))

    bench.store.put(outcome)
    bench.store.close("complete", ())

    assert bench.owner.acknowledged == [outcome]
    assert bench.lines() == [outcome.key]
    assert (bench.owner.known, bench.owner.scans, bench.owner.errors) == (3, [None], [])


async def test_close_gives_back_what_was_claimed_and_not_started(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "\n".join("abcdefgh") + "\n", concurrency=5).open()
    claims = bench.store.claims(lambda: 0)
    await anext(claims)
    handed_out = await anext(claims)

    bench.store.close("stopped", [handed_out.item])

    books = books_of(bench.journal)
    assert (books.in_doubt, books.pending, books.balance) == (1, 7, True)


async def test_close_leaves_one_file_of_the_journal_and_no_lock(tmp_path: Path) -> None:
    bench = Bench(tmp_path).open()

    bench.store.close("complete", ())
    books_of(bench.journal)

    names = {path.name for path in bench.folder.path.iterdir()}
    assert names == {".choosing", ".gitignore", "same-1.db", "same-1.lock"}
    assert not is_held(bench.folder.lock("same-1"))


async def test_a_second_opening_is_refused_while_the_first_lasts(tmp_path: Path) -> None:
    first = Bench(tmp_path).open()

    with pytest.raises(Locked, match="same-1 is being written"):
        Bench(tmp_path).open()
    first.store.close("complete", ())
    Bench(tmp_path).open().store.close("complete", ())


async def test_a_refused_opening_leaves_no_lock_no_run_and_no_file_open(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("precious\n")

    with pytest.raises(UsageError, match="has not written it"):
        Bench(tmp_path).open()

    bench = Bench(tmp_path)
    assert bench.folder.runs() == []
    (tmp_path / "out.jsonl").unlink()
    bench.open().store.close("complete", ())


async def test_a_file_that_is_no_journal_is_refused_in_words(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.journal.write_bytes(b"something else" * 500)

    with pytest.raises(UsageError, match="not a database"):
        bench.store.open()
    assert not is_held(bench.folder.lock("same-1"))


async def test_an_error_of_the_results_file_breaks_the_run_and_loses_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path).open()
    claims = bench.store.claims(lambda: 0)
    first, second = ended(await anext(claims)), ended(await anext(claims))
    bench.store.put(first)
    bench.store._writer.flush()
    bench.store._results._file.close()
    bench.store._results._file = FullFile()

    bench.store.put(second)
    bench.store.close("halted", ())

    (error,) = bench.owner.errors
    assert "cannot write the results file" in str(error)
    assert "No space left on device" in str(error)
    assert bench.owner.acknowledged == [first, second]
    books = books_of(bench.journal)
    assert (books.ok, books.in_doubt, books.pending, books.balance) == (2, 0, 1, True)
    assert how_it_ended(bench.journal) == "halted"
    Bench(tmp_path).open().store.close("complete", ())
    assert bench.lines() == [first.key, second.key]


async def test_a_results_file_that_cannot_be_synced_breaks_the_run_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    bench = Bench(tmp_path).open()
    outcome = ended(await anext(bench.store.claims(lambda: 0)))
    monkeypatch.setattr("unlost.batch.journal._results.sync", fail)
    monkeypatch.setattr("unlost.batch.journal._results.SYNC_EVERY", -1.0)

    bench.store.put(outcome)
    bench.store.close("halted", ())

    (error,) = bench.owner.errors
    assert "cannot write the results file" in str(error)
    assert bench.owner.acknowledged == [outcome]
    books = books_of(bench.journal)
    assert (books.ok, books.in_doubt, books.pending, books.balance) == (1, 0, 2, True)
    assert how_it_ended(bench.journal) == "halted"


async def test_a_journal_that_breaks_after_the_results_file_is_a_note_of_the_first_error(tmp_path: Path) -> None:
    bench = Bench(tmp_path).open()
    outcome = ended(await anext(bench.store.claims(lambda: 0)))
    bench.store._results._file.close()
    bench.store._results._file = FullFile()
    bench.store.put(outcome)
    bench.store._writer.flush()

    bench.store.put(outcome)  # a second outcome of one item
    bench.store.close("halted", ())

    (error,) = bench.owner.errors
    assert "cannot write the results file" in str(error)
    (note,) = error.__notes__
    assert "After that: cannot write the journal: UNIQUE constraint failed" in note


async def test_a_run_whose_scan_was_never_started_can_be_closed_and_opened_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.store.open()

    bench.store.close("halted", ())

    assert not is_held(bench.folder.lock("same-1"))
    assert "unlost-journal" not in {thread.name for thread in threading.enumerate()}
    assert how_it_ended(bench.journal) == "halted"
    Bench(tmp_path).open().store.close("complete", ())


async def test_the_lock_is_free_and_the_writer_ended_after_a_close_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path).open()
    claims = bench.store.claims(lambda: 0)

    def fail() -> list[int]:
        raise MemoryError

    monkeypatch.setattr(claims, "left", fail)

    with pytest.raises(MemoryError):
        bench.store.close("complete", ())

    assert not is_held(bench.folder.lock("same-1"))
    assert "unlost-journal" not in {thread.name for thread in threading.enumerate()}


async def test_an_opening_that_cannot_start_its_reading_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise MemoryError

    bench = Bench(tmp_path)
    monkeypatch.setattr("unlost.batch._store.Scan", fail)

    with pytest.raises(MemoryError):
        bench.store.open()

    assert not is_held(bench.folder.lock("same-1"))
    assert "unlost-journal" not in {thread.name for thread in threading.enumerate()}


async def test_every_file_is_for_its_user_only_in_a_folder_that_was_there_before(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    folder.chmod(0o755)
    umask = os.umask(0)
    try:
        bench = Bench(tmp_path)
        spool([b"secret"], folder, ".txt")
        bench.open()
    finally:
        os.umask(umask)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    bench.store.close("complete", ())

    names = {".choosing", "same-1.db", "same-1.db-wal", "same-1.db-shm", "same-1.lock"}
    assert {name for name in modes if not name.startswith("input-")} == names
    assert set(modes.values()) == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o755


def how_it_ended(journal: Path) -> str:
    connection = sqlite3.connect(journal)
    try:
        ((ended,),) = connection.execute("SELECT ended FROM epoch ORDER BY epoch DESC LIMIT 1")
    finally:
        connection.close()
    return ended


class FullFile:
    """A file on a full disk."""

    def write(self, data: bytes) -> int:
        raise OSError(28, "No space left on device")


LIMITED = """
import resource, runpy, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("unlost", run_name="__main__", alter_sys=True)
"""

JOB = """
import os

_log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


async def work(item):
    n = item["n"]
    os.write(_log, f"start {n}\\n".encode())
    return "x" * 2000
"""


@pytest.mark.parametrize("limit", [300_000, 1_000_000, 3_000_000])
def test_a_full_disk_halts_the_run_and_loses_nothing_that_was_acknowledged(tmp_path: Path, limit: int) -> None:
    """No file may grow beyond the limit: the system call fails as on a full disk."""
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", JOB)
    unlost.write_inputs(3000)
    arguments = ["run", "jobs:work", "in.jsonl", "-j", "20", "--out", "results.jsonl", "--quiet"]

    full = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *arguments],
        cwd=tmp_path, env=unlost.environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert full.returncode == 3, full.stderr
    assert "run work-1 was halted: cannot write the" in full.stderr
    assert "Traceback" not in full.stderr
    acknowledged = {line["key"] for line in unlost.results()}
    view = unlost.json("show", "work-1")
    books = view["books"]
    assert books["balance"]
    assert len(acknowledged) <= books["ok"] < 3000
    in_doubt = {entry["line"] - 1 for entry in view["in_doubt"]}

    resumed = unlost(*arguments, "--in-doubt", "retry")

    assert resumed.returncode == 0, resumed.stderr
    results = [line["key"] for line in unlost.results()]
    assert len(results) == len(set(results)) == 3000
    assert acknowledged <= set(results)
    starts = Counter(logged(tmp_path, "start"))
    assert {n for n, times in starts.items() if times > 1} <= in_doubt


def test_a_disk_that_is_full_from_the_start_is_refused_in_words(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", JOB)
    unlost.write_inputs(10)

    full = subprocess.run(
        [sys.executable, "-c", LIMITED, "5000", "run", "jobs:work", "in.jsonl", "--quiet"],
        cwd=tmp_path, env=unlost.environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert full.returncode == 2, full.stderr
    assert "cannot open the journal" in full.stderr
    assert unlost("run", "jobs:work", "in.jsonl").returncode == 0
