"""The door: what a connection is set to, and that another SQLite can stand behind it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from support.journals import META
from unlost.batch._folder import Folder
from unlost.batch._plan import Where, plan_run
from unlost.batch._run import Run
from unlost.batch.journal._books import read_books
from unlost.batch.journal._door import SQLITE, Door, close_writing, for_reading, for_writing
from unlost.batch.journal._opening import make_journal
from unlost.batch.target._target import target_of

pytestmark = pytest.mark.stock

_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
APSW = Door(lambda uri: apsw.Connection(uri, flags=_FLAGS), apsw.Error)
DOORS = pytest.mark.parametrize("door", [SQLITE, APSW], ids=["sqlite3", "apsw"])


def setting(connection: sqlite3.Connection, name: str) -> object:
    ((value,),) = connection.execute(f"PRAGMA {name}")
    return value


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "fetch-1.db"
    connection = for_writing(SQLITE, path, "power")
    make_journal(connection, path, META)
    close_writing(SQLITE, connection)
    return path


@DOORS
@pytest.mark.parametrize(("durability", "synchronous", "full"), [("power", 2, 1), ("process", 1, 0)])
def test_a_commit_is_synced_unless_only_the_process_may_die(
    tmp_path: Path, door: Door, durability: str, synchronous: int, full: int
) -> None:
    connection = for_writing(door, tmp_path / "a.db", durability)

    names = ("synchronous", "fullfsync", "checkpoint_fullfsync", "journal_mode")
    assert [setting(connection, name) for name in names] == [synchronous, full, full, "wal"]
    connection.close()


def test_power_cuts_are_what_a_run_is_safe_from_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("a\n")
    durabilities = []

    for flags in ({}, {"durability": "process"}):
        plan = plan_run(target_of(double), tmp_path / "in.txt", flags, Where(tmp_path / "runs"))
        plan.choice.release()
        durabilities.append(plan.policy.options.durability)

    assert durabilities == ["power", "process"]


async def double(item: int) -> int:
    if item % 10 == 3:
        raise ConnectionError("refused")
    await asyncio.sleep(0)
    return item * 2


@DOORS
async def test_a_run_is_the_same_whatever_sqlite_is_behind_the_door(tmp_path: Path, door: Door) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(f"{n}\n" for n in [*range(1000), *range(1000)]))
    where = Where(tmp_path / "runs", door=door)
    out = tmp_path / "out.jsonl"

    async with Run.of_plan(plan_run(target_of(double), source, {"first": 700}, where, out=out)) as first:
        pass
    before = first.books.ok
    async with Run.of_plan(plan_run(target_of(double), source, {"attempts": 2}, where, out=out)) as run:
        pass

    books = run.books
    assert (before, run.name) == (630, first.name)
    assert (books.inputs, books.ok, books.failed, books.balance) == (2000, 1800, 200, True)
    assert len({json.loads(line)["key"] for line in out.read_text().splitlines()}) == 1800
    assert [group.count for group in run.groups] == [200]


def test_a_closed_journal_is_one_file_and_reading_it_leaves_none(journal: Path) -> None:
    with for_reading(SQLITE, journal) as connection:
        read_books(connection)

    assert [path.name for path in journal.parent.iterdir()] == [journal.name]


@DOORS
def test_a_reader_does_not_keep_the_writer_from_closing(journal: Path, door: Door) -> None:
    connection = for_writing(door, journal, "power")
    with for_reading(door, journal) as reader:
        reader.execute("BEGIN")
        before = read_meta(reader)
        connection.execute("INSERT INTO meta VALUES ('late', 'word')")

        close_writing(door, connection)

        assert read_meta(reader) == before
    with for_reading(door, journal) as reader:
        assert read_meta(reader) == {**before, "late": "word"}


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, value FROM meta"))


@DOORS
def test_a_reader_cannot_write(journal: Path, door: Door) -> None:
    with for_reading(door, journal) as connection, pytest.raises(door.error, match="readonly"):
        connection.execute("DELETE FROM meta")


@DOORS
def test_a_reader_sees_what_is_committed_while_the_journal_is_written(journal: Path, door: Door) -> None:
    connection = for_writing(door, journal, "power")
    connection.execute("INSERT INTO meta VALUES ('one', '1')")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO meta VALUES ('two', '2')")

    with for_reading(door, journal) as reader:
        seen = read_meta(reader)

    assert seen == {**META, "one": "1"}
    connection.execute("ROLLBACK")
    close_writing(door, connection)


KILLED_WHILE_CHANGING = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=DELETE")
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN")
connection.execute("UPDATE meta SET value = 'torn'")
for n in range(2000):  # until pages are written to the file itself
    connection.execute("INSERT INTO meta VALUES (?, ?)", (str(n), "x" * 500))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_journal_whose_writer_was_killed_outside_of_wal_mode_is_put_right_by_its_next_reader(
    journal: Path,
) -> None:
    subprocess.run([sys.executable, "-c", KILLED_WHILE_CHANGING, str(journal)], check=False, timeout=60)
    rollback = journal.with_name(journal.name + "-journal")
    assert rollback.exists()

    folder = Folder(journal.parent)

    assert folder.read_meta("fetch-1") == META
    assert not rollback.exists()
