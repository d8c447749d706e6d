"""A dead letter's item is its input, by its key."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from unlost.batch.source._dead import parse_letter
from unlost.batch.source._keys import key_of
from unlost.batch.source._source import open_source


def letter(**members: Any) -> dict[str, Any]:
    return {
        "unlost": "dead-letter/1", "key": "k1", "line": 7, "format": "jsonl", "input": '{"n": 1}', "kind": "transient",
        "attempts": 3, "error": {"message": "of old"}, **members,
    }  # fmt: skip


def said(**members: Any) -> str:
    return str(parse_letter(4, json.dumps(letter(**members)).encode()).error)


def write(path: Path, *lines: object) -> str:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_its_input_is_the_item_and_its_key_the_key() -> None:
    record = parse_letter(4, json.dumps(letter()).encode())

    assert (record.line, record.value, record.raw, record.error) == (4, {"n": 1}, b'{"n": 1}', None)
    assert key_of(record) == "k1"


def test_a_key_field_is_one_of_its_input() -> None:
    assert key_of(parse_letter(4, json.dumps(letter()).encode()), "n") == "1"


@pytest.mark.parametrize(("form", "text"), [("lines", "http://a/"), ("null", "a\nb\r"), ("lines", "1")])
def test_text_stays_text_and_is_kept_as_json(form: str, text: str) -> None:
    record = parse_letter(4, json.dumps(letter(format=form, input=text)).encode())

    assert record.value == text
    assert json.loads(record.raw) == text


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"input": None, "input_kept": False}, "without its input, which its run did not keep"),
        ({"input": None, "input_base64": "!"}, "whose input cannot be read"),
        ({"input": "\ud800"}, "whose input cannot be read"),
        ({"input": None, "input_base64": base64.b64encode(b"\xff").decode()}, "is not UTF-8"),
        ({"input": "{"}, "is not JSON"),
        ({"kind": "input", "attempts": 0}, "is the dead letter of what was no input: of old"),
        ({"kind": "input", "attempts": 0, "error": None}, "of what was no input: correct it in the file"),
        ({"key": ""}, "is a dead letter without a key"),
        ({"key": 5}, "is a dead letter without a key"),
        ({"format": "xml"}, "has an unknown format"),
        ({"unlost": "dead-letter/9"}, "is not a dead-letter/1; write: unlost export RUN --dead"),
    ],
)
def test_a_letter_that_holds_no_input_is_one_failed_item(members: dict[str, Any], fault: str) -> None:
    assert said(**members).startswith("line 4 ")
    assert fault in said(**members)


def test_what_a_job_itself_calls_an_input_error_is_run_again() -> None:
    assert said(kind="input", attempts=1) == "None"


@pytest.mark.parametrize("name", ["dead.jsonl", "dead.txt"])
def test_a_source_whose_first_record_is_a_letter_is_one_of_letters(tmp_path: Path, name: str) -> None:
    source = open_source(write(tmp_path / name, letter(), letter(key="k2")), spool_folder=tmp_path)

    assert source.format == "dead"
    assert [key_of(record) for record in source.records()] == ["k1", "k2"]


def test_what_is_no_letter_among_letters_is_one_failed_item_each(tmp_path: Path) -> None:
    source = open_source(write(tmp_path / "a.jsonl", letter(), {"n": 2}, 3, letter()), spool_folder=tmp_path)

    records = list(source.records())

    assert [record.error is None for record in records] == [True, False, False, True]
    assert "line 2 is no dead letter, and the first line is one" in str(records[1].error)


def test_a_given_format_reads_letters_as_what_it_says(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", letter())

    (record,) = open_source(path, "jsonl", spool_folder=tmp_path).records()

    assert record.value["unlost"] == "dead-letter/1"


def test_letters_may_come_from_a_program(tmp_path: Path) -> None:
    (record,) = open_source([letter()], "dead", spool_folder=tmp_path).records()

    assert record.value == {"n": 1}
