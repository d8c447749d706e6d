"""The key of an input depends on what the input is, not on how or where it is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost.batch.source._errors import InputError
from unlost.batch.source._keys import check_field, key_of, raw_key
from unlost.batch.source._records import Record, parse
from unlost.errors import UsageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def record(text: str | bytes) -> Record:
    return parse(3, text.encode() if isinstance(text, str) else text, "jsonl")


def test_order_and_layout_of_an_object_do_not_matter() -> None:
    assert key_of(record('{"a": 1, "b": [1,2]}')) == key_of(record('{ "b":[1, 2],"a":1 }'))


def test_escapes_do_not_matter() -> None:
    assert key_of(record(r'"caf\u00e9"')) == key_of(record('"café"'))


def test_values_that_python_calls_equal_have_keys_of_their_own() -> None:
    texts = ["1", "1.0", "true", '"1"', "[1]", "null", '"null"', "0", "false", "0.0", "-0.0", '""', "[]", "{}"]

    assert len({key_of(record(text)) for text in texts}) == len(texts)


@given(JSON, JSON)
def test_two_inputs_have_one_key_exactly_if_they_are_the_same_json(one: object, other: object) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert (key_of(record(json.dumps(one))) == key_of(record(json.dumps(other, indent=1).replace("\n", "")))) == same


def test_a_text_line_has_the_key_of_the_json_string() -> None:
    assert key_of(parse(1, b"abc", "lines")) == key_of(record('"abc"'))


def test_a_key_is_twenty_hex_digits_and_never_changes_between_versions() -> None:
    assert key_of(parse(1, b"https://example.org/", "lines")) == "160c52ca50e34ad5f20b"


def test_half_a_surrogate_pair_has_a_key() -> None:
    assert key_of(record(r'"\ud800"')) != key_of(record(r'"\ud801"'))


def test_a_bad_line_is_known_by_its_bytes_whatever_the_field() -> None:
    bad = record(b"{\xff")

    assert key_of(bad) == key_of(bad, "id") == raw_key(bad)
    assert key_of(bad) != key_of(record(b"{\xfe"))


@pytest.mark.parametrize(
    ("text", "field", "key"),
    [
        ('{"id": "a b"}', "id", "a b"),
        ('{"id": 17}', "id", "17"),
        ('{"id": 1.50}', "id", "1.5"),
        ('{"id": true}', "id", "true"),
        ('{"id": 0}', "id", "0"),
        ('{"user": {"id": "x"}}', "user.id", "x"),
        ('{"user.id": "whole", "user": {"id": "part"}}', "user.id", "whole"),
        ('{"a": {"b.c": "x"}}', "a.b.c", "x"),
    ],
)
def test_a_field_is_the_key_as_it_is_written(text: str, field: str, key: str) -> None:
    assert key_of(record(text), field) == key


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"ID": 1, "url": "u"}', "has no field 'id' to take its key from; it has 'ID', 'url'"),
        ("{}", "it is an empty object"),
        ('"secret"', "it is a string, no object"),
        ("[1]", "it is an array, no object"),
        ("null", "it is null, no object"),
        ("5", "it is a number, no object"),
        ("true", "it is a boolean, no object"),
        ('{"id": null}', "has null in its key field 'id'"),
        ('{"id": ""}', "has an empty string in its key field 'id'"),
        ('{"id": {}}', "has an object in its key field 'id'"),
        ('{"id": []}', "has an array in its key field 'id'"),
        ('{"id": "' + "x" * 1001 + '"}', "has 1,001 characters in its key field 'id'"),
        (r'{"id": "\ud800"}', "has half a surrogate pair in its key field 'id'"),
        (json.dumps(dict.fromkeys("abcdefghijkl")), "'j' and 2 more"),
    ],
)
def test_a_field_that_cannot_be_a_key_is_an_input_failure_that_says_what_is_there(text: str, said: str) -> None:
    with pytest.raises(InputError, match=r"^line 3 ") as caught:
        key_of(record(text), "id")

    assert said in str(caught.value)


def test_an_input_too_deep_to_be_hashed_is_an_input_failure() -> None:
    value: object = []
    for _ in range(100_000):
        value = [value]

    with pytest.raises(InputError, match="nested too deeply"):
        key_of(Record(3, b"", value))

    while value:  # taken apart from outside: some Pythons free deep lists recursively
        value = value.pop()  # type: ignore[attr-defined]  # a list, above


def test_text_lines_have_no_key_field() -> None:
    check_field(None, "lines")
    check_field("id", "jsonl")
    with pytest.raises(UsageError, match="--key id needs inputs with fields"):
        check_field("id", "lines")
