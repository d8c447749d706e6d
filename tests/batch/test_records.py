"""One line becomes one record: a value, or one failure of kind ``input`` that names the line."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost.batch.source._errors import InputError
from unlost.batch.source._records import parse
from unlost.errors import Kind, classify


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"a": 1', "is not JSON: Expecting ',' delimiter at column 8, the line ends there"),
        (b'{"a": x}', "is not JSON: Expecting value at column 7, found 'x'"),
        (b'{"a": 1}\r{"a": 2}', "is not JSON: Extra data at column 10, found '{'"),
        (b'"a\0b"', "is not JSON: Invalid control character at"),
        (b'{"a": "\xff"}', "is not UTF-8: byte 0xff at byte 8"),
        (b'{"a": NaN}', "holds NaN, which is not JSON"),
        (b"-Infinity", "holds -Infinity, which is not JSON"),
        (b"[" * 100_000, "is nested too deeply"),
        (b"1" * 5000, "holds an integer of too many digits"),
    ],
)
def test_a_bad_json_line_is_one_input_failure_that_names_the_line_and_the_place(raw: bytes, said: str) -> None:
    record = parse(17, raw, "jsonl")

    assert record.value is None
    assert record.raw == raw
    assert record.error is not None
    assert record.error.line == 17
    assert said in str(record.error)
    assert str(record.error).startswith("line 17 ")
    assert classify(record.error) is Kind.INPUT


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"caf\xe9", "is not UTF-8: byte 0xe9 at byte 4"),
        (b"one\rtwo", "holds a carriage return at byte 4"),
        ("one".encode("utf-16-le"), "is the file UTF-16?"),
    ],
)
def test_a_text_line_that_is_not_what_it_looks_like_is_an_input_failure(raw: bytes, said: str) -> None:
    record = parse(3, raw, "lines")

    assert said in str(record.error)
    assert classify(record.error) is Kind.INPUT  # type: ignore[arg-type]  # asserted by the line above


def test_a_last_line_without_line_end_that_does_not_parse_is_called_cut_off() -> None:
    record = parse(9, b'{"id": 9, "url": "htt', "jsonl", terminated=False)

    assert "line 9 is cut off: the last line, without a line end" in str(record.error)


def test_a_last_line_without_line_end_that_parses_is_an_input_like_any_other() -> None:
    record = parse(9, b'{"id": 9}', "jsonl", terminated=False)

    assert record.error is None
    assert record.value == {"id": 9}


def test_an_error_shows_no_more_of_the_line_than_one_character() -> None:
    record = parse(1, b'{"api_key": "sk-secret", oops}', "jsonl")

    assert "secret" not in str(record.error)
    assert "found 'o'" in str(record.error)


def test_the_parsers_own_error_is_the_cause_without_the_frames_that_hold_the_line() -> None:
    record = parse(1, b"{", "jsonl")

    assert record.error is not None
    assert isinstance(record.error.__cause__, ValueError)
    assert record.error.__cause__.__traceback__ is None


def test_of_equal_names_in_one_object_the_last_one_wins() -> None:
    assert parse(1, b'{"a": 1, "a": 2}', "jsonl").value == {"a": 2}


def test_half_a_surrogate_pair_is_a_value_since_json_can_write_it() -> None:
    assert parse(1, rb'"\ud800"', "jsonl").value == "\ud800"


def test_a_text_line_keeps_its_white_space() -> None:
    assert parse(1, b"  a \t", "lines").value == "  a \t"


def test_a_line_of_ten_megabytes_is_a_line() -> None:
    assert len(parse(1, b"x" * 10_000_000, "lines").value) == 10_000_000


def test_an_input_error_survives_pickling() -> None:
    restored = pickle.loads(pickle.dumps(InputError(4, "is not JSON")))

    assert (restored.line, restored.what, str(restored)) == (4, "is not JSON", "line 4 is not JSON")


@given(st.binary().filter(lambda raw: b"\n" not in raw), st.sampled_from(["lines", "jsonl"]), st.booleans())
def test_no_line_whatsoever_raises(raw: bytes, form: str, terminated: bool) -> None:
    record = parse(1, raw, form, terminated=terminated)  # type: ignore[arg-type]  # one of the two

    assert record.raw == raw
    assert record.error is None or record.value is None
