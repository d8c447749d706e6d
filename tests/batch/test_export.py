"""Outcomes as lines of JSON: what is in them, in which order, and of which moment."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.journals import Session, indexed, value_of
from unlost.batch.export._file import write_file
from unlost.batch.export._lines import Inputs, export_lines
from unlost.batch.journal._door import SQLITE, for_reading
from unlost.batch.journal._ended_items import Chosen
from unlost.batch.journal._journal import Claimed, Ended
from unlost.batch.journal._kept import Keep, keep
from unlost.batch.journal._results import ResultsFile
from unlost.batch.journal._spend import Spend, spend
from unlost.batch.source._dead import parse_letter
from unlost.batch.source._records import parse
from unlost.errors import UsageError

ERROR = json.dumps(
    {"version": 1, "type": {"module": "m", "qualname": "E"}, "message": "no", "kind": "defect", "frames": []}
)


def failed(claimed: Claimed) -> Ended:
    return Ended(claimed.item, claimed.key, claimed.line, False, 2, 7, kind="defect", fingerprint="f1", error=ERROR)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A run that ends with c, b (failed), a; d is in doubt, e is pending."""
    session = Session(tmp_path / "fetch-1.db", tag="v1")
    session.scan([indexed(line, key) for line, key in enumerate("abcde", 1)])
    a, b, c, _d = session.claim(4)
    session.end(value_of(c, '"C"'), failed(b), value_of(a, '"A"'))
    yield session
    session.kill()


def exported(session: Session, chosen: Chosen | None = None, **options: Any) -> list[dict[str, Any]]:
    inputs = options.pop("inputs", Inputs("lines"))
    return [json.loads(line) for line in export_lines(session.connection, chosen or Chosen(), inputs, **options)]


def keys(letters: list[dict[str, Any]]) -> list[str]:
    return [letter["key"] for letter in letters]


def letter_of(session: Session, **options: Any) -> dict[str, Any]:
    return exported(session, Chosen(ok=False), **options)[0]


def test_results_and_dead_letters_come_in_the_order_of_the_source_or_of_completion(session: Session) -> None:
    assert keys(exported(session)) == ["a", "b", "c"]
    assert keys(exported(session, Chosen(order="completion"))) == ["c", "b", "a"]


def test_results_and_dead_letters_are_told_apart_by_the_name_unlost(session: Session) -> None:
    assert keys(exported(session, Chosen(dead=False))) == ["a", "c"]
    assert keys(exported(session, Chosen(ok=False))) == ["b"]
    assert [letter.get("unlost") for letter in exported(session)] == [None, "dead-letter/1", None]


def test_the_order_is_that_of_the_last_reading(session: Session) -> None:
    path = session.path
    session.close()
    session = Session(path)
    session.scan([indexed(line, key) for line, key in enumerate("edcba", 1)])

    assert keys(exported(session)) == ["c", "b", "a"]
    session.kill()


def test_what_is_gone_from_the_source_is_there_when_asked_for(session: Session) -> None:
    path = session.path
    session.close()
    session = Session(path)
    session.scan([indexed(1, "a"), indexed(2, "b")])

    assert keys(exported(session)) == ["a", "b"]
    assert keys(exported(session, Chosen(withdrawn=True))) == ["a", "b", "c"]
    session.kill()


def test_results_in_the_order_of_completion_are_the_results_file(session: Session, tmp_path: Path) -> None:
    results = ResultsFile(tmp_path / "out.jsonl")
    results.open(session.connection)
    results.close()

    lines = export_lines(session.connection, Chosen(dead=False, order="completion"), Inputs("lines"))

    assert b"".join(lines) == (tmp_path / "out.jsonl").read_bytes()


def test_a_result_has_its_input_when_asked_for(session: Session) -> None:
    result = exported(session, with_input=True)[0]

    assert result == {"key": "a", "line": 1, "value": "A", "attempts": 1, "ms": 5, "tag": "v1", "input": "a"}


def test_a_dead_letter_says_everything(session: Session) -> None:
    item = next(iter(session.connection.execute("SELECT id FROM item WHERE key = 'b'")))[0]
    keep(session.connection, [Keep(item, "answer", 1, 1, 1, b"\xff"), Keep(item, "page", 1, 1, 1, '{"n": [1]}')])
    spend(session.connection, [Spend(item, 1, 1, 1, 1_200_000, 10, 2, None), Spend(item, 1, 1, 2, 1, 1, 0, None)])

    letter = letter_of(session)

    ended = letter.pop("ended")
    assert letter == {
        "unlost": "dead-letter/1", "key": "b", "line": 2, "format": "lines", "input": "b", "kind": "defect",
        "fingerprint": "f1", "title": "E no", "error": json.loads(ERROR), "attempts": 2, "held": 0, "ms": 7,
        "tag": "v1", "generation": 1, "spent": {"usd": "0.001200001", "input_tokens": 11, "output_tokens": 2},
        "kept": {"answer": {"base64": "/w=="}, "page": {"n": [1]}}, "source_hash": "hash", "revision": None,
    }  # fmt: skip
    assert ended.endswith("+00:00")


def test_what_spent_and_kept_nothing_says_so(session: Session) -> None:
    letter = letter_of(session)

    assert letter["spent"] is None
    assert letter["kept"] == {}


@pytest.mark.parametrize("raw", [b'{"a": "\xc3\xa4"}', b'["\\ud800"]', b"1.50"])
def test_a_dead_letter_holds_its_input_verbatim_and_is_a_source(tmp_path: Path, raw: bytes) -> None:
    session = Session(tmp_path / "fetch-2.db")
    session.scan([indexed(1, "k", raw)])
    session.end(failed(session.claim()[0]))

    line = next(export_lines(session.connection, Chosen(), Inputs("jsonl")))

    record = parse_letter(1, line[:-1])
    assert json.loads(line)["input"].encode() == raw
    assert (record.key, record.value, record.error) == ("k", parse(1, raw, "jsonl").value, None)
    session.kill()


def test_an_input_that_is_not_utf_8_is_in_base64(tmp_path: Path) -> None:
    session = Session(tmp_path / "fetch-2.db")
    session.scan([indexed(1, "k", b"\xff\x00")])
    session.end(failed(session.claim()[0]))

    letter = letter_of(session)

    assert letter["input"] is None
    assert base64.b64decode(letter["input_base64"]) == b"\xff\x00"
    session.kill()


def test_an_input_that_was_not_kept_says_so(session: Session) -> None:
    session.connection.execute("DELETE FROM input WHERE item IN (SELECT item FROM outcome WHERE ok)")

    hashed = letter_of(session, inputs=Inputs("lines", kept=False))
    purged = exported(session, with_input=True)[0]

    assert (hashed["input"], hashed["input_kept"]) == (None, False)
    assert (purged["input"], purged["input_kept"]) == (None, False)


def test_half_a_surrogate_pair_in_an_error_becomes_its_escape(session: Session) -> None:
    session.connection.execute("UPDATE outcome SET error = replace(error, '\"no\"', '\"\\ud83d\"') WHERE NOT ok")

    assert letter_of(session)["error"]["message"] == "\ud83d"


def test_it_is_of_one_moment_while_the_run_is_written(session: Session) -> None:
    with for_reading(SQLITE, session.path) as reading:
        lines = export_lines(reading, Chosen(), Inputs("lines"))
        first = next(lines)
        session.end(value_of(session.claim()[0]))
        rest = list(lines)
    with for_reading(SQLITE, session.path) as reading:
        after = list(export_lines(reading, Chosen(), Inputs("lines")))

    assert len([first, *rest]) == 3
    assert len(after) == 4


def test_an_outcome_that_a_rerun_has_put_aside_is_not_in_it(session: Session) -> None:
    item = next(iter(session.connection.execute("SELECT item FROM outcome WHERE NOT ok")))[0]
    session.connection.execute("INSERT INTO past SELECT * FROM outcome WHERE item = ?", (item,))
    session.connection.execute("DELETE FROM outcome WHERE item = ?", (item,))

    assert keys(exported(session)) == ["a", "c"]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def lines() -> Iterator[bytes]:
        yield b"1\n"
        assert not (tmp_path / "out").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "out", lines())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_only_when_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("precious")

    with pytest.raises(UsageError, match="is there already"):
        write_file(path, [b"1\n"])
    assert path.read_text() == "precious"
    assert write_file(path, [b"1\n", b"2\n"], replace=True) == 2
    assert path.read_bytes() == b"1\n2\n"


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out"

    def lines() -> Iterator[bytes]:
        path.write_text("precious")
        yield b"1\n"

    with pytest.raises(UsageError, match="is there already"):
        write_file(path, lines())
    assert path.read_text() == "precious"


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)

    write_file(link, [b"1\n"])

    assert link.is_symlink()
    assert target.read_bytes() == b"1\n"


@pytest.mark.parametrize(("name", "what"), [("/dev/null", "not a regular file"), (".", "is a folder")])
def test_what_is_no_regular_file_is_refused(name: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        write_file(Path(name), [], replace=True)


def test_a_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot write .*: No such file or directory"):
        write_file(tmp_path / "no" / "out", [])
