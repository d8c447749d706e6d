"""Entering the source: what is new, what was seen before, what is refused."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from pathlib import Path

import pytest

from support.journals import Session, buckets, failure_of, indexed, refuse_duplicate, value_of
from unlost.batch.journal._again import Again


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fetch-1.db"


def rows(session: Session) -> list[tuple[object, ...]]:
    return list(session.connection.execute("SELECT key, ordinal, line, scan FROM item ORDER BY id"))


def of(text: str) -> list[tuple[int, str]]:
    """Return (line, key) for a source of one-letter records."""
    return list(enumerate(text, 1))


def records(text: str) -> list[object]:
    """Return the records of such a source; ``x`` is one that cannot be read."""
    return [indexed(line, key, error=key == "x") for line, key in of(text)]


def test_equal_records_are_told_apart_by_ordinals(path: Path) -> None:
    session = Session(path)

    session.scan(records("abab"))

    assert rows(session) == [("a", 1, 1, 1), ("b", 1, 2, 1), ("a", 2, 3, 1), ("b", 2, 4, 1)]
    assert [one.key for one in session.claim()] == ["a", "b", "a-2", "b-2"]
    session.kill()


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 500])
def test_ordinals_do_not_depend_on_where_chunks_end(path: Path, chunk: int) -> None:
    text = "aabacaabbbaacaaaaab"
    first = Session(path)
    first.scan(records(text), chunk=chunk)
    first.kill()
    second = Session(path)

    second.scan(records(text), chunk=chunk)

    expected = Counter()
    wanted = []
    for line, key in of(text):
        expected[key] += 1
        wanted.append((key, expected[key], line, 2))
    assert rows(second) == wanted
    second.kill()


def test_three_thousand_equal_records_take_flat_memory_and_few_look_ups(path: Path) -> None:
    session = Session(path)
    session.scan([indexed(line, "a") for line in range(1, 3001)])
    session.kill()
    again = Session(path)
    statements: list[str] = []
    again.connection.set_trace_callback(statements.append)
    tracemalloc.start()

    again.scan([indexed(line, "a") for line in range(1, 3001)])

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    again.connection.set_trace_callback(None)
    look_ups = sum(statement.startswith("SELECT") for statement in statements)
    assert look_ups < 3000 + 6 * 2 * 12 + 100  # one for each record, and a bisection for each chunk
    assert peak < 5_000_000
    assert buckets(again.books()) == {"pending": 3000}
    assert rows(again)[-1] == ("a", 3000, 3000, 2)
    again.kill()


def test_a_reordered_edited_and_shortened_source_is_the_same_items_but_for_what_changed(path: Path) -> None:
    first = Session(path)
    first.scan(records("aabcd"))
    first.end(*[value_of(one) for one in first.claim()])
    first.kill()
    second = Session(path)

    second.scan(records("ceba"))

    assert [one.key for one in second.claim()] == ["e"]
    assert rows(second) == [
        ("a", 1, 4, 2), ("a", 2, 2, 1), ("b", 1, 3, 2), ("c", 1, 1, 2), ("d", 1, 5, 1), ("e", 1, 2, 2),
    ]  # fmt: skip
    assert buckets(second.books()) == {"ok": 3, "in_doubt": 1, "withdrawn": 2}
    second.kill()


def test_a_record_that_cannot_be_read_ends_at_once_and_is_never_claimed(path: Path) -> None:
    session = Session(path)

    session.scan(records("axxb"))

    assert buckets(session.books()) == {"failed": 2, "pending": 2}
    assert [(seq, ended.key, ended.line, ended.kind) for seq, ended in session.journal.take_fresh()] == [
        (1, "x", 2, "input"),
        (2, "x-2", 3, "input"),
    ]
    assert [one.key for one in session.claim()] == ["a", "b"]
    session.kill()


def test_a_record_that_was_refused_is_refused_once_however_often_it_is_read(path: Path) -> None:
    Session(path).scan(records("ax"))
    again = Session(path)

    again.scan(records("ax"))

    assert buckets(again.books()) == {"failed": 1, "pending": 1}
    assert again.journal.take_fresh() == []
    again.kill()


@pytest.mark.parametrize("chunk", [1, 2, 500])
def test_a_duplicate_of_a_users_key_is_refused_with_the_line_of_the_first(path: Path, chunk: int) -> None:
    session = Session(path, refuse=refuse_duplicate)

    session.scan(records("abcb"), chunk=chunk)

    ((_, refused),) = session.journal.take_fresh()
    assert (refused.key, refused.line, refused.kind) == ("b-2", 4, "input")
    assert refused.error == '{"duplicate": "b", "line": 4, "first": 2}'
    assert [one.key for one in session.claim()] == ["a", "b", "c"]
    session.kill()


@pytest.mark.parametrize("chunk", [1, 2, 500])
def test_a_duplicate_names_the_line_where_the_first_stands_now(path: Path, chunk: int) -> None:
    Session(path, refuse=refuse_duplicate).scan(records("ab"))
    again = Session(path, refuse=refuse_duplicate)

    again.scan(records("cdbb"), chunk=chunk)

    ((_, refused),) = again.journal.take_fresh()
    assert refused.error == '{"duplicate": "b", "line": 4, "first": 3}'
    again.kill()


def test_a_record_edited_under_a_users_key_is_replaced_while_it_is_not_done(path: Path) -> None:
    first = Session(path, refuse=refuse_duplicate)
    first.scan([indexed(1, "a", b"old a"), indexed(2, "b", b"old b")])
    (done,) = first.claim(1)
    first.end(value_of(done))
    first.kill()
    second = Session(path, refuse=refuse_duplicate)

    second.scan([indexed(1, "a", b"new a"), indexed(2, "b", b"new b")])

    assert [(one.key, one.raw) for one in second.claim()] == [("b", b"new b")]
    stored = {raw for (raw,) in second.connection.execute("SELECT raw FROM input")}
    assert stored == {b"old a", b"new b"}
    second.kill()


@pytest.mark.parametrize("dead", [False, True], ids=["in doubt", "dead letter"])
def test_a_record_edited_after_its_item_was_started_is_counted_and_what_runs_again_is_what_ran(
    path: Path, dead: bool
) -> None:
    first = Session(path, refuse=refuse_duplicate, same=3)
    first.scan([indexed(1, "a", b"old 1")])
    (started,) = first.claim()
    if dead:
        first.end(failure_of(started))
    first.kill()
    if dead:
        Session(path, again=Again()).kill()
    second = Session(path, refuse=refuse_duplicate, same=3, retry=True)

    second.scan([indexed(1, "a", b"new 1")])

    assert [one.raw for one in second.claim()] == [b"old 1"]
    assert second.books().changed == 1
    second.kill()


def test_a_record_that_moved_is_found_where_it_stands_now_and_one_that_changed_where_it_stood(path: Path) -> None:
    first = Session(path, refuse=refuse_duplicate, same=3)
    first.scan([indexed(1, "a", b"aaa 1"), indexed(2, "b", b"bbb 2"), indexed(3, "c", b"ccc 3")])
    first.end(*[value_of(one) for one in first.claim(2)])
    first.kill()
    second = Session(path, refuse=refuse_duplicate, same=3)

    second.scan([indexed(1, "c", b"new 1"), indexed(2, "b", b"new 2"), indexed(3, "a", b"aaa 3")])

    assert list(second.connection.execute("SELECT raw FROM input ORDER BY item")) == [
        (b"aaa 3",), (b"bbb 2",), (b"new 1",),
    ]  # fmt: skip
    assert second.books().changed == 1
    second.kill()


def test_a_record_that_is_the_same_is_not_written_again(path: Path) -> None:
    Session(path, refuse=refuse_duplicate).scan(records("ab"))
    again = Session(path, refuse=refuse_duplicate)
    again.connection.execute("CREATE TEMP TRIGGER written UPDATE ON input BEGIN SELECT raise(ABORT, 'written'); END")

    again.scan(records("ab"))

    assert buckets(again.books()) == {"pending": 2}
    again.kill()


def test_keys_are_told_apart_by_what_stands_behind_a_nul(path: Path) -> None:
    keys = ["a\0", "a\0b", "a", "ключ", "a'b", "a\nb", "1e2", "100"]
    source = [indexed(line, key) for line, key in enumerate(keys, 1)]
    Session(path, refuse=refuse_duplicate).scan(source, chunk=1)
    again = Session(path, refuse=refuse_duplicate)

    again.scan(source)

    assert buckets(again.books()) == {"pending": len(keys)}
    assert [one.key for one in again.claim()] == keys
    again.kill()


def test_the_scan_notes_how_much_was_read_and_whether_that_was_all(path: Path) -> None:
    session = Session(path)

    session.scan(records("ab"), complete=False, blank=3)

    assert list(session.connection.execute("SELECT complete, records, blank FROM scan")) == [(0, 2, 3)]
    assert session.journal.scanned
    session.kill()
