"""Deleting a run, whole or only its inputs; and being killed in the middle of that."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from support.journals import META, Session, books_of, buckets, failure_of, indexed, value_of
from unlost.batch import _lock
from unlost.batch._folder import Folder
from unlost.batch._lock import Lock, Locked
from unlost.batch._purge import purge_inputs, purge_run
from unlost.batch.journal import _opening, _purging
from unlost.batch.journal._door import SQLITE, Door, for_writing
from unlost.batch.journal._kept import Keep, keep
from unlost.errors import UsageError

COPY = "input-0123456789abcdef0123.txt"
SECRET = b"the secret of "


class Killed(BaseException):
    """In place of SIGKILL: nobody handles it."""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / ".unlost")
    folder.make()
    return folder


def make_run(
    folder: Folder,
    *,
    name: str = "fetch-1",
    ok: int = 3,
    failed: int = 0,
    pending: int = 0,
    kill: bool = False,
    source: str = COPY,
) -> None:
    """Make a run over a copy of standard input."""
    (folder.path / source).write_bytes(SECRET + b"all")
    count = ok + failed + pending
    lock = Lock(folder.lock(name), name)
    session = Session(folder.journal(name))
    session.connection.execute("UPDATE meta SET value = ? WHERE name = 'path'", (str(folder.path / source),))
    session.scan([indexed(line, f"key{line}", SECRET + b"%d" % line) for line in range(1, count + 1)])
    claimed = session.claim(ok + failed)
    keep(session.connection, [Keep(one.item, "raw", 1, 1, 1, SECRET + b"keeping %d" % one.item) for one in claimed])
    session.end(*map(value_of, claimed[:ok]), *map(failure_of, claimed[ok:]))
    if kill:
        killed(session)
    else:
        session.close()
    lock.release()


def killed(session: Session) -> None:
    """Leave the files as they are while the journal is open: to close it, SQLite would tidy up."""
    files = [session.path, session.path.with_name(session.path.name + "-wal")]
    contents = [path.read_bytes() for path in files]
    session.kill()
    for path, content in zip(files, contents, strict=True):
        path.write_bytes(content)


def names_in(folder: Folder) -> set[str]:
    return {path.name for path in folder.path.iterdir()} - {".gitignore", ".choosing"}


def test_a_run_is_gone_with_its_lock_and_the_copy_of_its_input(folder: Folder) -> None:
    make_run(folder)

    purged = purge_run(folder, "fetch-1")

    assert names_in(folder) == set()
    assert {path.name for path in purged.files} == {"fetch-1.db", "fetch-1.lock", COPY}
    assert purged.books is not None
    assert purged.books.ok == 3


def test_what_a_killed_writer_left_beside_the_journal_is_gone_too(folder: Folder, tmp_path: Path) -> None:
    make_run(folder)
    for suffix in ("-wal", "-shm", "-journal"):
        (folder.path / f"fetch-1.db{suffix}").write_bytes(b"")

    purge_run(folder, "fetch-1")

    assert names_in(folder) == set()


def test_a_source_of_the_users_own_stays(folder: Folder, tmp_path: Path) -> None:
    for source in ("../input-mine.txt", "urls.txt"):
        make_run(folder, source=source)

        purge_run(folder, "fetch-1")

        assert (folder.path / source).exists()


def test_a_copy_that_another_run_has_too_stays_until_that_is_purged(folder: Folder) -> None:
    make_run(folder)
    make_run(folder, name="price-1")

    first = purge_run(folder, "fetch-1")
    second = purge_run(folder, "price-1")

    assert [(path.name, why) for path, why in first.kept.items()] == [(COPY, "run price-1 has the same input")]
    assert COPY in {path.name for path in second.files}
    assert names_in(folder) == set()


def test_a_copy_stays_where_another_run_cannot_say_which_it_has(folder: Folder) -> None:
    make_run(folder)
    (folder.path / "price-1.db").write_bytes(b"damaged" * 1000)

    purged = purge_run(folder, "fetch-1")

    assert list(purged.kept.values()) == ["run price-1 cannot be read, and may have the same input"]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"failed": 2}, "2 failed"), ({"pending": 1}, "1 pending"), ({"failed": 1, "pending": 1}, "1 failed, 1 pending")],
)
def test_a_run_with_more_than_results_is_deleted_only_when_that_is_said(
    folder: Folder, options: dict[str, int], said: str
) -> None:
    make_run(folder, **options)

    with pytest.raises(UsageError, match=f"has {said}: .*\n.*unlost purge fetch-1 --yes"):
        purge_run(folder, "fetch-1")
    assert names_in(folder) == {"fetch-1.db", "fetch-1.lock", COPY}

    purge_run(folder, "fetch-1", yes=True)
    assert names_in(folder) == set()


def test_a_run_whose_source_was_not_read_to_its_end_is_deleted_only_when_that_is_said(folder: Folder) -> None:
    session = Session(folder.journal("fetch-1"))
    session.scan([indexed(1, "a")], complete=None)
    session.end(value_of(session.claim()[0]))
    session.close()

    with pytest.raises(UsageError, match="a source that was not read to its end"):
        purge_run(folder, "fetch-1")


def test_a_run_that_died_before_it_began_is_deleted(folder: Folder) -> None:
    folder.journal("fetch-1").write_bytes(b"")

    purge_run(folder, "fetch-1")

    assert names_in(folder) == set()


def test_a_damaged_journal_is_deleted_only_when_that_is_said(folder: Folder) -> None:
    folder.journal("fetch-1").write_bytes(b"damaged" * 1000)

    with pytest.raises(UsageError, match="unlost purge fetch-1 --yes"):
        purge_run(folder, "fetch-1")
    purge_run(folder, "fetch-1", yes=True)

    assert names_in(folder) == set()


@pytest.mark.parametrize("purge", [purge_run, purge_inputs])
def test_a_run_that_a_process_writes_is_refused(folder: Folder, purge: Callable[[Folder, str], object]) -> None:
    make_run(folder)
    lock = Lock(folder.lock("fetch-1"), "fetch-1")

    with pytest.raises(Locked, match="is being written by process"):
        purge(folder, "fetch-1")
    lock.release()
    assert "fetch-1.db" in names_in(folder)


@pytest.mark.parametrize("purge", [purge_run, purge_inputs])
def test_a_run_that_is_not_there_is_refused(folder: Folder, purge: Callable[[Folder, str], object]) -> None:
    with pytest.raises(UsageError, match="there is no run 'fetch-1'"):
        purge(folder, "fetch-1")
    assert names_in(folder) == set()


@pytest.mark.parametrize("deletions", range(6))
def test_killed_at_any_deletion_it_leaves_the_run_or_nothing_that_is_in_the_way(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, deletions: int
) -> None:
    make_run(folder, kill=True)
    assert {"fetch-1.db", "fetch-1.db-wal", "fetch-1.lock", COPY} <= names_in(folder)
    purge_until(folder, monkeypatch, deletions)

    if deletions <= 1:
        assert buckets(books_of(folder.journal("fetch-1"))) == {"ok": 3}
        purge_run(folder, "fetch-1")
    assert folder.runs() == []
    make_run(folder, ok=1)
    with folder.open("fetch-1") as connection:
        assert connection is not None
        assert [key for (key,) in connection.execute("SELECT key FROM item")] == ["key1"]


def purge_until(folder: Folder, monkeypatch: pytest.MonkeyPatch, deletions: int) -> None:
    """Purge, and be killed instead of the next deletion after so many."""
    unlink, left = Path.unlink, iter(range(deletions))

    def counting(path: Path, missing_ok: bool = False) -> None:
        if next(left, None) is None:
            raise Killed
        unlink(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", counting)
        with pytest.raises(Killed):
            purge_run(folder, "fetch-1")


def test_a_wal_that_is_left_behind_is_not_read_by_the_next_run_of_that_name(folder: Folder) -> None:
    session = Session(folder.journal("fetch-1"))
    session.scan([indexed(1, "of the run that was purged")])
    wal = (folder.path / "fetch-1.db-wal").read_bytes()
    assert b"of the run that was purged" in wal
    session.kill()
    purge_run(folder, "fetch-1", yes=True)
    (folder.path / "fetch-1.db-wal").write_bytes(wal)

    session = Session(folder.journal("fetch-1"))

    assert buckets(session.books()) == {}
    session.close()


def test_who_waited_for_the_lock_of_a_purged_run_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(folder)
    take = _lock.try_lock

    def slow(descriptor: int) -> bool:
        monkeypatch.setattr(_lock, "try_lock", take)
        purge_run(folder, "fetch-1")
        return take(descriptor)

    monkeypatch.setattr(_lock, "try_lock", slow)

    with pytest.raises(UsageError, match="run fetch-1 was purged"):
        Lock(folder.lock("fetch-1"), "fetch-1")


def test_the_journal_of_another_run_of_that_name_is_refused(folder: Folder) -> None:
    session = Session(folder.journal("fetch-1"))

    with pytest.raises(UsageError, match="is another one now"):
        _opening.check_run(session.connection, "fetch-1", {**META, "run_id": "of the one that was purged"})
    session.kill()


def test_inputs_and_what_was_kept_are_gone_where_items_are_ok(folder: Folder) -> None:
    make_run(folder, ok=2, failed=1)

    purged = purge_inputs(folder, "fetch-1")

    with sqlite3.connect(folder.journal("fetch-1")) as connection:
        inputs = [key for (key,) in connection.execute("SELECT key FROM input JOIN item ON id = item")]
        kept = [key for (key,) in connection.execute("SELECT key FROM kept JOIN item ON id = item")]
    connection.close()
    assert inputs == kept == ["key3"]
    assert (purged.inputs, purged.intermediate) == (2, 2)


def test_their_bytes_are_gone_from_the_file_and_the_books_stay(folder: Folder) -> None:
    make_run(folder, ok=3)
    before = folder.journal("fetch-1").read_bytes()
    assert SECRET in before

    purged = purge_inputs(folder, "fetch-1")

    assert SECRET not in folder.journal("fetch-1").read_bytes()
    assert names_in(folder) == {"fetch-1.db", "fetch-1.lock"}
    assert buckets(books_of(folder.journal("fetch-1"))) == {"ok": 3}
    assert [path.name for path in purged.files] == [COPY]


def test_the_copy_of_the_input_stays_while_the_run_needs_it(folder: Folder) -> None:
    make_run(folder, ok=1, pending=1)

    purged = purge_inputs(folder, "fetch-1")

    assert list(purged.kept.values()) == ["the run is not at its end, and needs it: unlost resume fetch-1"]
    assert COPY in names_in(folder)


def test_it_is_noted_in_the_journal_how_much_was_purged(folder: Folder) -> None:
    make_run(folder, ok=2, pending=1)
    purge_inputs(folder, "fetch-1")
    session = Session(folder.journal("fetch-1"))
    session.scan([indexed(line, f"key{line}", SECRET + b"%d" % line) for line in (1, 2, 3)])
    session.end(*map(value_of, session.claim()))
    session.close()

    purge_inputs(folder, "fetch-1")

    note = json.loads(folder.read_meta("fetch-1")[_purging.NOTE])
    assert (note["inputs"], note["kept"]) == (3, 2)


def test_a_journal_that_another_program_reads_is_left_as_it_is(folder: Folder) -> None:
    make_run(folder)
    reader = sqlite3.connect(folder.journal("fetch-1"), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM item").fetchone()

    with pytest.raises(UsageError, match="locked"):
        purge_inputs(folder, "fetch-1", door=impatient())
    reader.execute("COMMIT")
    reader.close()
    assert COPY in names_in(folder)
    assert SECRET in folder.journal("fetch-1").read_bytes()


def impatient() -> Door:
    """Return a door whose connections do not wait for others."""
    return Door(lambda uri: sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0), sqlite3.Error)


class Watched(sqlite3.Connection):
    """A connection that is looked at before each statement."""

    before: Callable[[str], None]

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> sqlite3.Cursor:
        self.before(sql)
        return super().execute(sql, parameters)


def watched(before: Callable[[str], None]) -> Door:
    def connect(uri: str) -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0, factory=Watched)
        connection.before = before
        return connection

    return Door(connect, sqlite3.Error)


def test_a_reader_that_comes_in_between_is_waited_for_and_then_refused(folder: Folder) -> None:
    make_run(folder)
    reader = sqlite3.connect(folder.journal("fetch-1"), isolation_level=None)

    def read(sql: str) -> None:
        if sql == "PRAGMA busy_timeout=1000" and not reader.in_transaction:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM item").fetchone()

    with pytest.raises(UsageError, match="locked"):
        purge_inputs(folder, "fetch-1", door=watched(read))
    reader.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM input").fetchone() == (3,)
    reader.close()


def test_the_bytes_are_gone_though_there_is_no_room_to_write_the_journal_anew(folder: Folder) -> None:
    make_run(folder)

    def full(sql: str) -> None:
        if sql == "VACUUM":
            raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(UsageError, match="disk is full"):
        purge_inputs(folder, "fetch-1", door=watched(full))
    assert SECRET not in folder.journal("fetch-1").read_bytes()


def test_what_was_kept_and_replaced_earlier_is_gone_too(folder: Folder) -> None:
    make_run(folder)
    for page in (b"an older secret " * 5000, b"newer"):
        session = Session(folder.journal("fetch-1"))
        list(session.connection.execute("PRAGMA secure_delete=OFF"))  # some builds of SQLite have it on
        keep(session.connection, [Keep(1, "page", 1, 1, 1, page)])
        session.close()
    assert b"an older secret" in folder.journal("fetch-1").read_bytes()

    purge_inputs(folder, "fetch-1")

    assert b"an older secret" not in folder.journal("fetch-1").read_bytes()


def test_a_purged_run_continues(folder: Folder) -> None:
    make_run(folder, ok=2)
    purge_inputs(folder, "fetch-1")

    session = Session(folder.journal("fetch-1"))
    session.scan([indexed(line, f"key{line}", SECRET + b"%d" % line) for line in (1, 2, 3)])

    assert [one.key for one in session.claim()] == ["key3"]
    session.kill()


def test_the_journal_of_another_version_is_not_written(folder: Folder) -> None:
    make_run(folder)
    connection = for_writing(SQLITE, folder.journal("fetch-1"), "process")
    list(connection.execute("PRAGMA user_version=99"))
    connection.close()

    with pytest.raises(UsageError, match="has journal version 99"):
        purge_inputs(folder, "fetch-1")
    assert COPY in names_in(folder)
