"""Running items again whose outcome is known, or in doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.journals import Session, buckets, failure_of, indexed, value_of
from unlost import UsageError
from unlost.batch._folder import Folder
from unlost.batch._selection import check_again
from unlost.batch.journal._again import Again
from unlost.batch.journal._journal import Claimed


def failed_and_in_doubt(path: Path) -> None:
    """Leave a journal of: a ok, b and c failed in two ways, d a bad line, e in doubt, f pending."""
    session = Session(path)
    session.scan([indexed(line, key, error=key == "d") for line, key in enumerate("abcdef", 1)])
    a, b, c, _e = session.claim(4)
    session.end(value_of(a), failure_of(b, "f1"), failure_of(c, "f2"))
    session.kill()


def rerun(path: Path, again: Again) -> tuple[Session, list[Claimed]]:
    session = Session(path, again=again)
    return session, session.claim()


@pytest.mark.parametrize(
    ("again", "keys"),
    [
        (Again(), ["b", "c"]),
        (Again(fingerprint="f2"), ["c"]),
        (Again(fingerprint="f"), ["b", "c"]),
        (Again(kind="transient"), ["b", "c"]),
        (Again(kind="defect"), []),
        (Again(in_doubt=True), ["e"]),
        (Again(fingerprint="f1", in_doubt=True), ["b", "e"]),
    ],
)
def test_what_is_chosen_is_handed_out_and_nothing_else(tmp_path: Path, again: Again, keys: list[str]) -> None:
    failed_and_in_doubt(tmp_path / "a.db")

    session, claimed = rerun(tmp_path / "a.db", again)

    assert [one.key for one in claimed] == keys
    assert session.books().balance
    session.close()


def test_a_rerun_of_a_known_failure_is_of_the_next_generation_and_one_in_doubt_of_the_same(tmp_path: Path) -> None:
    failed_and_in_doubt(tmp_path / "a.db")

    session, claimed = rerun(tmp_path / "a.db", Again(fingerprint="f1", in_doubt=True))

    assert [(one.key, one.generation, one.doubts) for one in claimed] == [("b", 2, 0), ("e", 1, 1)]
    session.close()


def test_the_outcome_that_was_is_past_and_the_new_one_counts(tmp_path: Path) -> None:
    failed_and_in_doubt(tmp_path / "a.db")
    session, claimed = rerun(tmp_path / "a.db", Again())

    session.end(*(value_of(one) for one in claimed))

    assert buckets(session.books()) == {"ok": 3, "failed": 1, "in_doubt": 1, "pending": 1}
    past = list(session.connection.execute("SELECT key, past.generation, fingerprint FROM past JOIN item ON id = item"))
    assert past == [("b", 1, "f1"), ("c", 1, "f2")]
    session.close()


def test_numbers_of_outcomes_are_never_used_twice(tmp_path: Path) -> None:
    failed_and_in_doubt(tmp_path / "a.db")
    for _ in range(3):
        session, claimed = rerun(tmp_path / "a.db", Again(fingerprint="f2"))
        session.end(*(failure_of(one, "f2") for one in claimed))
        session.close()

    session = Session(tmp_path / "a.db")

    used = [seq for (seq,) in session.connection.execute("SELECT seq FROM outcome UNION ALL SELECT seq FROM past")]
    assert len(used) == len(set(used)) == 4 + 3
    assert session.opening.next_seq > max(used)
    session.close()


def test_a_rerun_that_is_killed_goes_on_when_the_run_is_continued(tmp_path: Path) -> None:
    failed_and_in_doubt(tmp_path / "a.db")
    killed, _claimed = rerun(tmp_path / "a.db", Again(kind="transient"))
    killed.kill()

    session = Session(tmp_path / "a.db", retry=True)
    session.scan([indexed(n, key) for n, key in enumerate("abc", 1)])
    claimed = session.claim()

    assert [(one.key, one.generation) for one in claimed] == [("b", 2), ("c", 2)]
    session.close()


def test_what_was_kept_comes_with_the_item_unless_it_is_to_be_forgotten(tmp_path: Path) -> None:
    failed_and_in_doubt(tmp_path / "a.db")
    session, claimed = rerun(tmp_path / "a.db", Again(fingerprint="f1"))
    session.connection.execute("INSERT INTO kept VALUES (?, 'response', 2, 2, 1, ?)", (claimed[0].item, b"raw"))
    session.end(failure_of(claimed[0], "f1", attempts=1))
    session.close()

    session, claimed = rerun(tmp_path / "a.db", Again(fingerprint="f1"))
    session.end(failure_of(claimed[0], "f1"))
    session.close()
    fresh, forgotten = rerun(tmp_path / "a.db", Again(fingerprint="f1", fresh=True))
    fresh.close()

    assert claimed[0].kept == {"response": b"raw"}
    assert forgotten[0].kept is None


def test_where_no_dead_letter_is_left_but_an_earlier_rerun_was_stopped_it_says_what_is_pending(tmp_path: Path) -> None:
    session = Session(tmp_path / "work-1.db")
    session.scan([indexed(1, "a")])
    session.end(failure_of(*session.claim()))
    session.kill()
    Session(tmp_path / "work-1.db", again=Again()).kill()

    with pytest.raises(UsageError, match="1 item is pending; to start what is, continue the run: unlost resume work-1"):
        check_again(Folder(tmp_path), "work-1", Again())
