"""Each opening is an epoch with a scan of its own, and starts where the last one ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.journals import META, Session, indexed, value_of
from unlost.batch.journal._door import SQLITE, for_writing
from unlost.batch.journal._opening import Opening, make_journal
from unlost.errors import UsageError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fetch-1.db"


def test_a_new_journal_starts_with_one_everywhere(path: Path) -> None:
    session = Session(path)

    assert session.opening == Opening(epoch=1, scan=1, next_item=1, next_seq=1, ok=0, failed=0, items=0)
    assert not session.opening.continues
    session.kill()


def test_the_next_opening_starts_behind_what_is_there(path: Path) -> None:
    first = Session(path)
    first.scan([indexed(1, "a"), indexed(2, "b"), indexed(3, "c")])
    first.end(*[value_of(one) for one in first.claim(2)])
    first.kill()

    second = Session(path)

    assert second.opening == Opening(epoch=2, scan=2, next_item=4, next_seq=3, ok=2, failed=0, items=3)
    assert second.opening.continues
    second.kill()


def test_an_epoch_says_who_opened_it_and_how_it_ended(path: Path) -> None:
    Session(path).kill()
    Session(path).close()
    third = Session(path)

    rows = list(third.connection.execute("SELECT epoch, pid, closed IS NULL, ended FROM epoch"))

    assert rows == [(1, os.getpid(), 1, None), (2, os.getpid(), 0, "complete"), (3, os.getpid(), 1, None)]
    third.kill()


def test_what_the_run_is_is_written_once(path: Path) -> None:
    Session(path).close()
    connection = for_writing(SQLITE, path, "process")

    make_journal(connection, path, {**META, "target": "other:function"})

    assert dict(connection.execute("SELECT name, value FROM meta")) == META
    connection.close()


def test_a_journal_of_another_version_is_not_opened(path: Path) -> None:
    first = Session(path)
    first.connection.execute("PRAGMA user_version=0")
    first.kill()

    with pytest.raises(UsageError, match="journal version 0"):
        Session(path)
