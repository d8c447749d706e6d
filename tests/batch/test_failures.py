"""When the items of a run failed."""

from __future__ import annotations

from pathlib import Path

from support.journals import Session, failure_of, indexed, value_of
from unlost.batch.journal._failures import Failures, read_failures


def session_of(path: Path, ended: dict[str, float], fingerprint: str = "abc") -> Session:
    """A journal, opened at 1000, of items that failed at these times."""
    session = Session(path)
    session.scan([indexed(line, key) for line, key in enumerate(ended, 1)])
    session.end(*(failure_of(claimed, fingerprint) for claimed in session.claim()))
    session.connection.execute("UPDATE epoch SET opened = 1000.0")
    for key, at in ended.items():
        query = "UPDATE outcome SET ended = ? WHERE item = (SELECT id FROM item WHERE key = ?)"
        session.connection.execute(query, (at, key))
    return session


def test_failures_are_counted_in_equal_slices_from_the_first_opening_to_the_last_end(tmp_path: Path) -> None:
    session = session_of(tmp_path / "j.db", {"a": 1000.0, "b": 1024.9, "c": 1025.0, "d": 1100.0})

    assert read_failures(session.connection, 4) == Failures(1000.0, 1100.0, {"abc": (2, 1, 0, 1)})
    session.close()


def test_a_clock_that_was_set_back_puts_failures_into_the_first_slice(tmp_path: Path) -> None:
    session = session_of(tmp_path / "j.db", {"a": 500.0, "b": 1100.0})

    assert read_failures(session.connection, 4).counts == {"abc": (1, 0, 0, 1)}
    session.close()


def test_what_is_ok_or_withdrawn_is_not_counted(tmp_path: Path) -> None:
    session = Session(tmp_path / "j.db")
    session.scan([indexed(1, "a"), indexed(2, "b")])
    first, second = session.claim()
    session.end(value_of(first), failure_of(second))
    session.close()
    session = Session(tmp_path / "j.db")
    session.scan([indexed(1, "a")])

    assert read_failures(session.connection, 4).counts == {}
    session.close()


def test_a_run_without_outcomes_has_no_failures(tmp_path: Path) -> None:
    session = Session(tmp_path / "j.db")

    failures = read_failures(session.connection, 4)

    assert failures.counts == {}
    assert failures.began == failures.ended > 0
    session.close()
