"""A Python object is an input if JSON gives the same object back."""

import enum
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost.batch.source._items import as_json_lines
from unlost.errors import UsageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.lists(JSON))
def test_what_json_can_hold_comes_back(items: list[object]) -> None:
    lines = list(as_json_lines(items))

    assert [json.loads(line) for line in lines] == items
    assert all(line.count(b"\n") == 1 for line in lines)


@pytest.mark.parametrize("item", [Path("a"), date(2024, 1, 1), b"a", {1}, float("nan"), float("inf"), object()])
def test_what_json_cannot_hold_is_refused_by_position_and_type(item: object) -> None:
    with pytest.raises(UsageError, match=f"Item 2 of the source, a {type(item).__name__}, cannot be kept as JSON"):
        list(as_json_lines(["fine", item]))


def test_a_cycle_is_refused() -> None:
    item: list[object] = []
    item.append(item)

    with pytest.raises(UsageError, match="Circular reference"):
        list(as_json_lines([item]))


def test_keys_that_json_would_turn_into_strings_are_refused_however_deep() -> None:
    with pytest.raises(UsageError, match=r"Item 1 .* the key 7, .* Write \{str\(key\): value"):
        list(as_json_lines([{"a": [({7: "x"},)]}]))


def test_tuples_become_lists_and_enum_members_their_values() -> None:
    number = enum.IntEnum("number", "ONE")
    word = enum.StrEnum("word", "A")

    assert list(as_json_lines([(1, (2,)), number.ONE, word.A])) == [b"[1,[2]]\n", b"1\n", b'"a"\n']
