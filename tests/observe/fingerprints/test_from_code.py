"""What the user's code says stays in the template, what was filled in does not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from unlost.observe import record
from unlost.observe.fingerprints import template_of


def raised_by(source: str, *arguments: object, file: str = "/app/jobs.py") -> BaseException:
    names: dict[str, Any] = {"__name__": "jobs"}
    exec(compile(source, file, "exec"), names)
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # whatever the source raises
        names["run"](*arguments)
    return caught.value.with_traceback(caught.value.__traceback__.tb_next if caught.value.__traceback__ else None)


def said_by(source: str, *arguments: object, file: str = "/app/jobs.py") -> str:
    return template_of(record(raised_by(source, *arguments, file=file)))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("f'no such user {x}'", "no such user <…>"),
        ("f'{x} is not a user'", "<…> is not a user"),
        ("f'user {x} of {x} is gone'", "user <…> of <…> is gone"),
        ("'no such user %s' % x", "no such user <…>"),
        ("'no such user %(x)s, sorry' % {'x': x}", "no such user <…>, sorry"),
        ("'no such user {}, sorry'.format(x)", "no such user <…>, sorry"),
        ("'no such user {0!r:>3}'.format(x)", "no such user <…>"),
        ("'no such user ' + x", "no such user <…>"),
        ("f\"field '{x}' is missing\"", "field '<…>' is missing"),
        ("\"field 'price' is missing\"", "field 'price' is missing"),
        ("f'user:{x}'", "user:<…>"),
        ("f'{x}'", None),
        ("f'{x} is {x}'", None),
        ("x", None),
    ],
)
@pytest.mark.parametrize("data", ["alice", "12", "a b c", "it's"])
def test_what_is_filled_in_is_left_out_whatever_way_the_message_is_made(
    expression: str, expected: str | None, data: str
) -> None:
    error = record(raised_by(f"def run(x): raise LookupError({expression})", data))

    assert ("from_code" in error) is (expected is not None)
    if expected is not None:
        assert template_of(error) == expected


def test_a_helper_may_raise_what_its_caller_has_worded() -> None:
    source = "def fail(text): raise ValueError(text)\ndef run(x): fail(f'too heavy: {x}')"

    assert said_by(source, "lead") == "too heavy: <…>"


@pytest.mark.parametrize(
    "body",
    [
        "def __init__(self, x): super().__init__(f'there is no order {x}')",
        "def __init__(self, x): self.x = x\n def __str__(self): return f'there is no order {self.x}'",
    ],
)
def test_the_class_may_have_worded_it(body: str) -> None:
    assert said_by(f"class E(Exception):\n {body}\ndef run(x): raise E(x)", "abc") == "there is no order <…>"


def test_what_a_library_says_is_not_looked_for_in_its_code_which_its_next_version_words_elsewhere() -> None:
    source = "def run(x): raise ValueError(f'bad value {x}')"

    assert said_by(source, "abc", file="/v/site-packages/lib.py") == "bad value abc"


def test_a_word_that_is_in_the_message_by_chance_says_nothing() -> None:
    assert said_by("def run(x): return 'literal', 'base', int(x)", "abc").startswith("invalid literal for int()")


def test_a_secret_that_the_code_holds_is_masked_in_the_pieces_too() -> None:
    error = record(raised_by("def run(x): raise ValueError(f'password=hunter2 of {x}')", "alice"))

    assert "hunter2" not in template_of(error)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def run(x): return {}['price']", "'price'"),
        ("def run(x): return {}['unit price']", "'unit price'"),
        ("PRICE = 'price'\ndef run(x): return {}[PRICE]", "'price'"),
        ("def run(x):\n for field in ('price', 'name'): return {}[field]", "'price'"),
        ("FIELDS = ['price', 'name']\ndef run(x):\n for field in FIELDS: return {}[field]", "'price'"),
        ("def get(row, name): return row[name]\ndef run(x): return get({}, 'price')", "'price'"),
        ("import os\ndef run(x): return os.environ['NOT_THERE']", "'NOT_THERE'"),
        ("def run(x): raise KeyError('price')", "'price'"),
        ("def run(x): return {}[x]", "<str>"),
        ("def run(x): raise KeyError(x)", "<str>"),
        ("def run(x): return {}[x, 1]", "(<items>)"),
        ("def run(x): return {}[17]", "<n>"),
    ],
)
def test_the_key_of_a_key_error_stays_where_it_stands_in_the_code(source: str, expected: str) -> None:
    assert said_by(source, "sku") == expected


@pytest.mark.parametrize("error", [KeyError("price"), pytest.param(None, id="raised by others")])
def test_a_key_error_that_was_made_out_of_sight_keeps_its_key(error: KeyError | None) -> None:
    if error is None:
        error = raised_by("def run(error): raise error", KeyError("price"))  # type: ignore[assignment]  # as made

    assert template_of(record(error)) == "'price'"  # type: ignore[arg-type]  # one of the two


def test_pieces_are_within_what_every_record_keeps_and_do_not_depend_on_its_size() -> None:
    small = raised_by("def run(x): raise ValueError(f'no such user {x}')", "y" * 1000)
    large = raised_by("def run(x): raise ValueError(f'no such user {x}')", "y" * 1000)
    for _ in range(100):
        large.add_note("\U0001f600" * 1000)

    assert template_of(record(small)) == template_of(record(large)) == "no such user <…>"
    assert record(large).get("from_code") == [[0, 13]]


def test_very_many_constants_are_not_all_looked_at() -> None:
    names = ", ".join(f"'the text {number} '" for number in range(5_000))

    error = raised_by(f"def run(x):\n y = [x, {names}]\n raise ValueError('the text ' * 300)", "")

    assert len(record(error).get("from_code", [])) <= 16


def test_odd_classes_and_functions_do_not_get_in_the_way() -> None:
    class Odd:
        @property
        def __class__(self) -> type:
            raise RuntimeError("do not ask")

    def with_odd_module(self: BaseException) -> str:
        return "odd message"

    with_odd_module.__module__ = Odd()  # type: ignore[assignment]  # it is odd
    cls = type("E", (Exception,), {"__init__": Odd(), "__str__": with_odd_module})
    error = cls.__new__(cls)

    assert record(error)["message"] == "odd message"


def test_neither_the_error_nor_its_frames_live_on() -> None:
    error = raised_by("def run(x): raise ValueError(f'no such user {x}')", "alice")
    before = sys.getrefcount(error)

    record(error)

    assert sys.getrefcount(error) == before


def test_a_container_is_its_items_however_many() -> None:
    def said(make: Callable[[], object]) -> str:
        return template_of(record(ValueError(make())))

    assert said(lambda: ["a"]) == said(lambda: ["a", "b", 3]) == "[<items>]"
    assert said(lambda: {"a": 1}) == said(lambda: {"a": 1, "b": [1, 2]}) == "{<items>}"
    assert said(lambda: "rows[3] (5)") == "rows[<n>] (<n>)"
