"""The books: each bucket counted by itself, and what does not belong to any makes them not balance."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from support.command import CommandLine
from support.journals import Session, books_of, buckets, failure_of, indexed, value_of
from unlost.batch.journal._books import InDoubt, read_dead, read_groups, read_in_doubt
from unlost.batch.journal._journal import Claimed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fetch-1.db"


def source(text: str) -> list[object]:
    return [indexed(line, key, error=key == "x") for line, key in enumerate(text, 1)]


def scanned(path: Path, text: str, *, complete: bool | None = True, blank: int = 0, retry: bool = False) -> Session:
    session = Session(path, retry=retry)
    session.scan(source(text), complete=complete, blank=blank)
    return session


def one_of_each(path: Path) -> None:
    """Leave ``a`` ok, ``b`` failed, ``c`` in doubt and ``d`` pending."""
    session = scanned(path, "abcd")
    ok, failed, _in_doubt = session.claim(3)
    session.end(value_of(ok), failure_of(failed, attempts=3))
    session.kill()


def test_every_input_is_in_its_bucket(path: Path) -> None:
    one_of_each(path)

    assert buckets(books_of(path)) == {"ok": 1, "failed": 1, "in_doubt": 1, "pending": 1}


def test_a_run_without_inputs_balances(path: Path) -> None:
    scanned(path, "").kill()

    assert buckets(books_of(path)) == {}


def test_a_run_that_was_killed_before_its_scan_balances(path: Path) -> None:
    Session(path).kill()

    assert buckets(books_of(path)) == {}


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        ("a", {"failed": 1, "in_doubt": 1, "pending": 1}),
        ("b", {"ok": 1, "in_doubt": 1, "pending": 1}),
        ("c", {"ok": 1, "failed": 1, "pending": 1}),
        ("d", {"ok": 1, "failed": 1, "in_doubt": 1}),
        ("abcd", {}),
    ],
)
def test_what_is_gone_from_the_source_is_withdrawn_wherever_it_was(path: Path, gone: str, left: dict[str, int]) -> None:
    one_of_each(path)

    scanned(path, "".join(key for key in "abcd" if key not in gone)).kill()

    assert buckets(books_of(path)) == {**left, "withdrawn": len(gone)}
    with sqlite3.connect(path) as connection:
        assert len(list(read_in_doubt(connection))) == left.get("in_doubt", 0)
        assert len(read_groups(connection)) == len(list(read_dead(connection, ""))) == left.get("failed", 0)
    connection.close()


def test_what_comes_back_into_the_source_is_where_it_was(path: Path) -> None:
    one_of_each(path)
    scanned(path, "").kill()

    scanned(path, "dcba").kill()

    assert buckets(books_of(path)) == {"ok": 1, "failed": 1, "in_doubt": 1, "pending": 1}


def test_what_lies_behind_first_is_not_withdrawn_after_a_complete_scan(path: Path) -> None:
    one_of_each(path)

    scanned(path, "ab", complete=False).kill()

    assert buckets(books_of(path)) == {"ok": 1, "failed": 1, "in_doubt": 1, "pending": 1}


def test_a_complete_scan_after_first_withdraws_what_it_did_not_see(path: Path) -> None:
    first = scanned(path, "ab", complete=False)
    first.end(*[value_of(one) for one in first.claim()])
    first.kill()

    scanned(path, "bcd").kill()

    assert buckets(books_of(path)) == {"ok": 1, "pending": 2, "withdrawn": 1}


def test_what_first_brings_after_a_complete_scan_is_an_input(path: Path) -> None:
    scanned(path, "abc").kill()

    scanned(path, "ea", complete=False).kill()

    assert buckets(books_of(path)) == {"pending": 4}


def test_a_scan_that_was_cut_off_withdraws_nothing(path: Path) -> None:
    one_of_each(path)

    scanned(path, "ax", complete=None).kill()

    assert buckets(books_of(path)) == {"ok": 1, "failed": 2, "in_doubt": 1, "pending": 1}
    assert books_of(path).read is None


def test_only_the_last_complete_scan_withdraws(path: Path) -> None:
    scanned(path, "ab").kill()
    scanned(path, "bc").kill()
    scanned(path, "a", complete=False).kill()

    assert buckets(books_of(path)) == {"pending": 3}


def test_blank_lines_are_told_of_the_last_scan(path: Path) -> None:
    scanned(path, "ab", blank=7).kill()
    first = books_of(path)
    scanned(path, "ab", complete=None).kill()

    assert (first.blank, first.as_json()["blank"], books_of(path).blank) == (7, 7, None)


def test_retries_and_what_recovered_are_counted(path: Path) -> None:
    session = scanned(path, "abc")
    ok, failed, once = session.claim()
    session.end(value_of(once), failure_of(failed, attempts=4))
    session.connection.execute("UPDATE outcome SET attempts = 2 WHERE ok")
    session.end(value_of(ok))

    assert (session.books().retries, session.books().recovered) == (4, 1)
    session.kill()


def test_groups_are_by_fingerprint_the_largest_first_with_the_first_line_as_example(path: Path) -> None:
    session = scanned(path, "abcda")
    a, b, c, d, a_again = session.claim()
    session.end(failure_of(d, "d0"), failure_of(a_again, "a0"), failure_of(b, "a0"), failure_of(c, "c0"), value_of(a))

    groups = read_groups(session.connection)

    assert [(group.fingerprint, group.count, group.line, group.key) for group in groups] == [
        ("a0", 2, 2, "b"),
        ("c0", 1, 3, "c"),
        ("d0", 1, 4, "d"),
    ]
    assert groups[0].error == {"of": "b"}
    assert [dead["key"] for dead in read_dead(session.connection, "a")] == ["b", "a-2"]
    session.kill()


def test_what_is_in_doubt_is_listed_by_name_with_its_starts(path: Path) -> None:
    first = scanned(path, "aa")
    first.claim()
    first.kill()
    second = scanned(path, "aa", retry=True)
    second.claim(1)

    assert list(read_in_doubt(second.connection)) == [InDoubt("a", 1, 2), InDoubt("a-2", 2, 1)]
    second.kill()


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM item WHERE key = 'a'",
        "DELETE FROM item WHERE key = 'b'",
        "DELETE FROM item WHERE key = 'c'",
        "INSERT INTO item VALUES (99, 'e', 1, 5, 1, 1)",
        "UPDATE scan SET records = 3",
        "INSERT INTO claim VALUES (99, 1, 1, NULL)",
        "INSERT INTO outcome VALUES (99, 1, 99, 1, 0, 9, 1, 1, 0, 1, '1', NULL, NULL, NULL, NULL)",
        "INSERT INTO outcome VALUES (99, 1, 99, 1, 0, 9, 0, 1, 0, 1, NULL, NULL, 'permanent', 'f0', '{}')",
    ],
)
def test_books_that_were_tampered_with_do_not_balance(path: Path, tampering: str) -> None:
    one_of_each(path)
    with sqlite3.connect(path) as connection:
        connection.execute(tampering)
    connection.close()

    assert not books_of(path).balance


@pytest.mark.stock
def test_a_run_whose_books_do_not_balance_says_so_and_exits_with_5(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", "async def same(item):\n    return item\n")
    unlost.write_inputs(5)
    unlost("run", "jobs:same", "in.jsonl")
    with sqlite3.connect(tmp_path / ".unlost" / "same-1.db") as connection:
        connection.execute("INSERT INTO outcome VALUES (99, 1, 99, 1, 0, 9, 1, 1, 0, 1, '1', NULL, NULL, NULL, NULL)")
    connection.close()

    run = unlost("run", "jobs:same", "in.jsonl")
    resumed = unlost("resume", "same-1", "--json")
    shown = unlost("show", "same-1")

    assert (run.returncode, resumed.returncode) == (5, 5)
    assert "THE BOOKS DO NOT BALANCE: 5 inputs, but 6 ok" in run.stdout
    assert "THE BOOKS DO NOT BALANCE" in shown.stdout


@pytest.mark.stock
def test_the_summary_tells_how_many_lines_were_blank(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", "async def same(item):\n    return item\n")
    unlost.write("in.jsonl", "1\n\n2\n  \n")
    unlost.write("one.jsonl", "1\n\n")

    done = unlost("run", "jobs:same", "in.jsonl")
    one = unlost("run", "jobs:same", "one.jsonl")

    assert "2 of 2 accounted for (2 blank lines)\n" in done.stdout
    assert "1 of 1 accounted for (1 blank line)\n" in one.stdout
    assert unlost.json("show", "same-1")["books"]["blank"] == 2


def test_a_claimed_item_knows_where_it_stands(path: Path) -> None:
    session = scanned(path, "aa")

    assert session.claim() == [Claimed(1, "a", 1, b"a"), Claimed(2, "a-2", 2, b"a")]
    session.kill()
