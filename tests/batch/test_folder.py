"""The folder of journals: whose it is, what runs are in it, and which files are none."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.journals import META, Session, indexed, value_of
from unlost.batch._folder import Folder
from unlost.batch.journal._door import SQLITE, for_writing
from unlost.batch.journal._opening import make_journal
from unlost.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "deep" / ".unlost")
    folder.make()
    return folder


def make_run(folder: Folder, run: str, **meta: str) -> None:
    connection = for_writing(SQLITE, folder.journal(run), "process")
    make_journal(connection, folder.journal(run), {**META, **meta})
    connection.close()


def test_it_is_for_its_user_only_and_not_for_version_control(folder: Folder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert (folder.path / ".gitignore").read_text() == "*\n"


def test_making_it_again_leaves_it_as_it_is(folder: Folder) -> None:
    (folder.path / ".gitignore").write_text("mine\n")
    folder.path.chmod(0o750)

    folder.make()

    assert (folder.path / ".gitignore").read_text() == "mine\n"
    assert folder.path.stat().st_mode & 0o777 == 0o750


def test_a_folder_that_was_there_before_is_left_as_it_is(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    project.chmod(0o755)

    Folder(project).make()

    assert list(project.iterdir()) == []
    assert project.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_another_process_makes_at_the_same_moment_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".unlost"
    make = Path.mkdir

    def made_meanwhile(self: Path, *arguments: object, **options: object) -> None:
        make(self)
        make(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", made_meanwhile)

    Folder(path).make()

    assert list(path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="Not a directory") as refused:
        Folder(tmp_path / "file" / ".unlost").make()
    assert "--folder DIR" in str(refused.value)


def test_runs_are_listed_by_function_then_number(folder: Folder) -> None:
    for run in ("fetch-10", "fetch-2", "a-b-3", "a-1", "fetch-1"):
        make_run(folder, run)
    for name in ("notes.db", "fetch-0.db", "fetch-02.db", "fetch-x.db", "fetch-1.lock", "input-12.txt"):
        (folder.path / name).touch()

    assert folder.runs() == ["a-1", "a-b-3", "fetch-1", "fetch-2", "fetch-10"]


def test_there_are_no_runs_where_there_is_no_folder(tmp_path: Path) -> None:
    assert Folder(tmp_path / "none").runs() == []


def test_the_next_name_is_one_more_than_the_greatest(folder: Folder) -> None:
    for run in ("fetch-2", "fetch-10", "fetch-all-77"):
        make_run(folder, run)

    assert [folder.next_name(stem) for stem in ("fetch", "fetch-all", "other")] == [
        "fetch-11",
        "fetch-all-78",
        "other-1",
    ]


def test_the_latest_run_is_the_last_of_that_function_that_says_so(folder: Folder) -> None:
    make_run(folder, "fetch-2", source="a")
    make_run(folder, "fetch-9", source="a")
    make_run(folder, "fetch-10", source="b")
    make_run(folder, "other-11", source="a")

    assert folder.latest("fetch", source="a") == "fetch-9"
    assert folder.latest("fetch", source="b", target="jobs:fetch") == "fetch-10"
    assert folder.latest("fetch", source="c") is None


@pytest.mark.parametrize("content", [b"", None], ids=["no byte", "no table"])
def test_a_journal_whose_maker_died_before_the_first_commit_is_no_run_yet(
    folder: Folder, content: bytes | None
) -> None:
    if content is None:
        for_writing(SQLITE, folder.journal("fetch-1"), "process").close()
    else:
        folder.journal("fetch-1").write_bytes(content)

    assert folder.read_meta("fetch-1") == {}
    assert folder.latest("fetch") == "fetch-1"
    assert folder.latest("fetch", source="a") is None
    assert folder.next_name("fetch") == "fetch-2"
    with folder.open("fetch-1") as connection:
        assert connection is None


@pytest.mark.parametrize("run", ["fetch-9", "fetch", "", "../fetch-1", "fetch-1.db"])
def test_a_run_that_is_not_there_is_refused_with_those_that_are(folder: Folder, run: str) -> None:
    make_run(folder, "fetch-1")
    make_run(Folder(folder.path.parent), "fetch-1")

    with pytest.raises(UsageError, match="Runs there: fetch-1"):
        folder.find(run)


def make_foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t(a)")
    connection.close()


def make_newer(path: Path) -> None:
    session = Session(path)
    session.connection.execute("PRAGMA user_version=3")
    session.close()


def make_no_database(path: Path) -> None:
    path.write_bytes(b"Dear diary, " * 500)


def make_corrupt(path: Path) -> None:
    session = Session(path)
    session.scan([indexed(n, f"key {n}" * 50) for n in range(500)])
    session.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 4000 + whole[4100:])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_foreign, "is an SQLite database, but not a journal of unlost"),
        (make_newer, "has journal version 3; this version of unlost reads 2"),
        (make_no_database, "file is not a database"),
        (make_corrupt, "sqlite3 fetch-1.db .recover"),
    ],
)
def test_a_file_that_is_no_journal_of_ours_is_refused_and_untouched(folder: Folder, make: object, words: str) -> None:
    path = folder.journal("fetch-1")
    make(path)
    before = path.read_bytes()

    with pytest.raises(UsageError) as refused:
        folder.latest("fetch", source="a")

    assert words in str(refused.value)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == before


AS_NOBODY = """
import importlib, os, pkgutil, sys
import unlost
for module in pkgutil.walk_packages(unlost.__path__, "unlost."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)  # now: the other user may not come to where it lies
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(sys.modules["unlost.cli"].main(sys.argv[1:]))
"""


@pytest.fixture
def read_only() -> Iterator[Folder]:
    """A folder with a run that the user of ``as_reader`` can read and not write."""
    root = Path(tempfile.mkdtemp())
    folder = Folder(root / "runs")
    folder.make()
    yield folder
    folder.path.chmod(0o700)
    shutil.rmtree(root)


def as_reader(folder: Folder, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Type a command as somebody who can read the folder."""
    for path in (folder.path.parent, folder.path):
        path.chmod(0o555)
    for path in folder.path.iterdir():
        path.chmod(0o444)
    folder.path.parent.chmod(0o755)
    (folder.path.parent / "jobs.py").write_text("async def fetch(item):\n    return item\n")
    (folder.path.parent / "in.txt").write_text("a\n")
    command = [sys.executable, "-B", "-c", AS_NOBODY, *arguments, "--folder", str(folder.path)]
    return subprocess.run(command, input="a\n", capture_output=True, text=True, cwd=folder.path.parent, timeout=60)


def write_run(folder: Folder) -> Session:
    session = Session(folder.journal("fetch-1"))
    session.scan([indexed(1, "a"), indexed(2, "b")])
    session.end(value_of(session.claim(1)[0]))
    return session


def test_a_closed_run_can_be_shown_in_a_folder_that_cannot_be_written_to(read_only: Folder) -> None:
    write_run(read_only).close()

    shown = as_reader(read_only, "show", "fetch-1")

    assert shown.returncode in (0, 1), shown.stderr
    assert "1 ok · 0 failed · 0 in doubt · 1 pending" in shown.stdout


def test_a_killed_run_can_be_shown_in_a_folder_that_cannot_be_written_to(read_only: Folder) -> None:
    held = write_run(read_only)  # its -wal and -shm are there, as after a kill

    shown = as_reader(read_only, "show", "fetch-1")

    assert shown.returncode in (0, 1), shown.stderr
    assert "1 ok · 0 failed · 0 in doubt · 1 pending" in shown.stdout
    held.kill()


@pytest.mark.parametrize(
    "arguments", [("run", "jobs:fetch", "in.txt"), ("run", "jobs:fetch", "-"), ("resume", "fetch-1", "--accept-code")]
)
def test_a_run_in_a_folder_that_cannot_be_written_to_is_refused(read_only: Folder, arguments: tuple[str, ...]) -> None:
    session = write_run(read_only)
    session.connection.execute("UPDATE meta SET value = 'in.txt' WHERE name = 'path'")
    session.close()

    refused = as_reader(read_only, *arguments)

    assert refused.returncode == 2, refused.stderr
    assert "--folder DIR" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert os.listdir(read_only.path).count("fetch-2.db") == 0


def test_a_file_in_its_place_is_not_taken_for_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".unlost").write_text("notes", encoding="utf-8")

    with pytest.raises(UsageError, match=r"cannot read the journals in .*: Not a directory"):
        Folder(tmp_path / ".unlost").runs()


def test_a_folder_that_may_not_be_read_is_not_taken_for_an_empty_one(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", refuse)

    with pytest.raises(UsageError, match=r"Permission denied.\nName the folder that has them: --folder DIR"):
        folder.runs()


def test_where_there_is_no_folder_there_are_no_runs(tmp_path: Path) -> None:
    assert Folder(tmp_path / "none").runs() == []


def test_a_folder_that_is_named_as_a_journal_is_called_one(folder: Folder) -> None:
    folder.journal("fetch-1").mkdir()

    with pytest.raises(UsageError, match=r"It is a folder. Move it away"):
        folder.read_meta("fetch-1")
