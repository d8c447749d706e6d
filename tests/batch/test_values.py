"""The value of a job as JSON: by rule, or refused with what to write instead."""

from __future__ import annotations

import base64
import enum
import json
import math
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

import attrs
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost.batch import _values
from unlost.batch._values import OutputError, encode
from unlost.errors import Kind, classify


class Point(NamedTuple):
    x: object
    y: object


class Color(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    HIGH = 3


class Word(enum.StrEnum):
    YES = "yes"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Price:
    amount: Decimal
    currency: str = "EUR"


@dataclass(slots=True)
class Order:
    prices: list[Price]
    placed: datetime
    note: str = field(init=False)


class Model(pydantic.BaseModel):
    when: datetime
    amount: Decimal
    ratio: float = 1.0
    path: PurePosixPath = PurePosixPath("a/b")


@attrs.frozen
class Attrs:
    color: Color
    inner: Price


class OldModel:
    """As pydantic's models were before version 2."""

    __fields__: Mapping[str, object] = {"at": object()}

    def dict(self) -> Any:
        return {"at": date(2026, 1, 2)}


def numpy_like(number: object, kind: str, shape: tuple[int, ...] = ()) -> object:
    """Return an object of the shape of a NumPy scalar, which the tests need not install."""
    dtype = type("dtype", (), {"kind": kind})()
    members = {"dtype": dtype, "shape": shape, "item": lambda _self: number, "tolist": lambda _self: [number]}
    return type("float32", (), {"__module__": "numpy", **members})()


WRITTEN = {
    "dataclass": (Price(Decimal("1.50")), {"amount": "1.50", "currency": "EUR"}),
    "attrs": (Attrs(Color.RED, Price(Decimal(1))), {"color": "red", "inner": {"amount": "1", "currency": "EUR"}}),
    "old pydantic": ([OldModel()], [{"at": "2026-01-02"}]),
    "named tuple": (Point(1, 2), [1, 2]),
    "tuple": ((1, (2,)), [1, [2]]),
    "mapping": (MappingProxyType({"a": Color.RED}), {"a": "red"}),
    "enum": ([Color.RED, Color.PAIR, Level.HIGH, Word.YES, Access.READ | Access.WRITE], ["red", [1, 2], 3, "yes", 3]),
    "datetime": (datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-01-02T03:04:05.000006+00:00"),
    "naive datetime": (datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00"),  # noqa: DTZ001  # written as it is
    "date": (date(2026, 1, 2), "2026-01-02"),
    "time": (time(3, 4, tzinfo=timezone(timedelta(hours=2))), "03:04:00+02:00"),
    "timedelta": (timedelta(days=1, milliseconds=5), 86400.005),
    "decimal": ([Decimal("0.10"), Decimal("NaN"), Decimal("-Infinity")], ["0.10", "NaN", "-Infinity"]),
    "uuid": (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "path": (PurePosixPath("a/b"), "a/b"),
    "not finite": ({"a": [math.nan, math.inf, -math.inf]}, {"a": ["NaN", "Infinity", "-Infinity"]}),
    "numpy integer": (numpy_like(3, "i"), 3),
    "numpy float": ([numpy_like(0.5, "f")], [0.5]),
    "numpy nan": (numpy_like(math.nan, "f"), "NaN"),
    "names": ({1: 1, 2.5: 2, None: 3, False: 4}, {"1": 1, "2.5": 2, "null": 3, "false": 4}),
    "names by rule": ({Color.RED: 1, date(2026, 1, 2): 2, math.nan: 3}, {"red": 1, "2026-01-02": 2, "NaN": 3}),
    "text": ("ä\u2028\x00", "ä\u2028\x00"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_is_written_by_rule(name: str) -> None:
    value, expected = WRITTEN[name]

    written = encode(value)

    assert json.loads(written, parse_constant=pytest.fail) == expected
    assert "\n" not in written


def test_a_pydantic_model_is_written_as_it_says_itself() -> None:
    model = Model(when=datetime(2026, 1, 2, tzinfo=UTC), amount=Decimal("0.10"), ratio=math.inf)

    written = json.loads(encode({"model": model}))

    assert written == {"model": {**model.model_dump(mode="json"), "ratio": "Infinity"}}
    assert written["model"]["amount"] == "0.10"


loop: list[object] = []
loop.append(loop)
ring: dict[str, object] = {}
ring["ring"] = [Point(ring, math.nan)]
deep: list[object] = []
for _ in range(100_000):
    deep = [deep]


class Failing(pydantic.BaseModel):
    @pydantic.computed_field
    def ratio(self) -> float:
        return 1 / 0


class Rude(Mapping[str, object]):
    """Its own code fails, in whatever way."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __getitem__(self, name: str) -> object:
        raise self.error

    def __iter__(self) -> Iterator[str]:
        raise self.error

    def __len__(self) -> int:
        return 1


REFUSED = {
    "bytes": ({"rows": [1, {"image": b"\xff"}]}, r"value\['rows'\]\[1\]\['image'\] is bytes. Write .decode\(\)"),
    "bytearray": (bytearray(b"x"), r"value is bytearray. Write .decode\(\), or base64"),
    "set": ({"a": {1}}, r"value\['a'\] is a set, which has no order. Write sorted\(...\)"),
    "frozenset": (frozenset(), "a frozenset, which has no order"),
    "object": ([object()], r"value\[0\] is a object. Return dicts, lists, strings and numbers"),
    "class": (Price, "value is a type"),
    "complex": (1j, "is a complex"),
    "exception": (ValueError("no"), r"an exception that was returned: ValueError\('no'\). Raise it"),
    "array": (numpy_like(1, "i", (1,)), r"Write .tolist\(\)"),
    "numpy time": (numpy_like(10**18, "M"), "is a float32"),
    "numpy of no exact number": (numpy_like(Decimal(1), "f"), "is a float32"),
    "names that become one": ({"a": {1: 1, "1": 2}}, r"value\['a'\] has two keys that JSON would write as '1'"),
    "names by rule that become one": ({Color.RED: 1, "red": 2}, "two keys that JSON would write as 'red'"),
    "a tuple as a name": ({(1, 2): 3}, r"has the key \(1, 2\), which is no name for JSON"),
    "itself": (loop, "holds itself: a list"),
    "itself, by rule": (ring, r"value\['ring'\]\[0\]\[0\] holds itself: a dict"),
    "depth": (deep, "nested too deeply"),
    "half a surrogate pair": (["\ud800"], "half a surrogate pair"),
    "half a surrogate pair in a path": (PurePosixPath("\udcff"), "half a surrogate pair"),
    "a field that was never set": (Order([], datetime(2026, 1, 2, tzinfo=UTC)), "has a note that raised Attribute"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_with_what_to_write_instead(name: str) -> None:
    value, message = REFUSED[name]

    with pytest.raises(OutputError, match=message) as refused:
        encode(value)
    assert classify(refused.value) is Kind.OUTPUT


@pytest.mark.parametrize("error", [KeyError("a"), SystemExit(3), KeyboardInterrupt(), RuntimeError()], ids=repr)
def test_what_a_values_own_code_raises_is_the_cause(error: BaseException) -> None:
    with pytest.raises(OutputError, match=type(error).__name__) as refused:
        encode(Rude(error))

    assert refused.value.__cause__ is error


def test_what_a_computed_field_raises_is_the_cause() -> None:
    with pytest.raises(OutputError, match=r"value\[0\] has a model_dump that raised") as refused:
        encode([Failing()])

    assert refused.value.__cause__ is not None


def test_the_repr_of_what_was_refused_is_kept_and_cut() -> None:
    with pytest.raises(OutputError) as refused:
        encode([b"x" * 5000])

    assert refused.value.shown.startswith("[b'xxx")
    assert refused.value.shown.endswith("more characters]")


def test_a_value_larger_than_the_journal_should_take_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_values, "MOST", 10)
    assert encode("ä" * 4) == '"ääää"'  # 10 bytes

    with pytest.raises(OutputError, match=r"12 bytes of JSON, and 10 are the most\. Write it to a file"):
        encode("ä" * 5)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values)
def test_what_json_holds_is_written_as_the_standard_library_does(value: object) -> None:
    assert encode(value) == json.dumps(value, ensure_ascii=False)


@given(values)
def test_the_rules_change_nothing_that_json_holds(value: object) -> None:
    assert encode([value, math.nan]) == json.dumps([value, "NaN"], ensure_ascii=False)


@given(st.binary())
def test_bytes_are_written_as_the_message_says(data: bytes) -> None:
    assert base64.b64decode(json.loads(encode(base64.b64encode(data).decode()))) == data
