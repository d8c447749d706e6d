"""One error in full, and every item that has it."""

from __future__ import annotations

import json

from support.views import raised
from unlost.batch import Dead
from unlost.errors import attach_attempts
from unlost.observe import record
from unlost.report import detail_as_json, detail_as_text


def dead(line: int, error: BaseException, *, fingerprint: str = "77aa01bb", **what: object) -> Dead:
    letter = Dead(
        key=f"key-{line}", line=line, attempts=1, ms=1234, kind="defect", fingerprint=fingerprint,
        error=record(error), input=f'{{"n": {line}}}', spent=None, kept=[],
    )  # fmt: skip
    return letter | what  # type: ignore[operator, return-value]  # fields of Dead


def test_the_first_item_of_an_error_has_it_in_full_and_the_others_one_line_each() -> None:
    error = raised(KeyError("price"), line=57, function="parse")

    lines = list(detail_as_text([dead(17, error), dead(4417, error)]))

    assert lines == [
        "77aa01  KeyError 'price'    jobs.py:57 in parse",
        "kind defect · line 17 · attempts 1 · 1.2s",
        "",
        "  Traceback (innermost last):",
        '    File "jobs.py", line 57, in parse',
        "  KeyError: 'price'",
        "    [defect]",
        "",
        '  line 17       key key-17   {"n": 17}',
        '  line 4417     key key-4417   {"n": 4417}',
    ]


def test_each_fingerprint_has_an_example() -> None:
    letters = [dead(1, ValueError("a")), dead(2, ValueError("b"), fingerprint="00112233"), dead(3, ValueError("a"))]

    lines = list(detail_as_text(letters))

    assert [line for line in lines if line.startswith(("77aa01", "001122"))] == [
        "77aa01  ValueError a",
        "001122  ValueError b",
    ]


def test_an_item_that_never_started_says_so() -> None:
    lines = list(detail_as_text([dead(1, ValueError("no JSON"), attempts=0, kind="input")]))

    assert lines[1] == "kind input · line 1 · never started · 1.2s"


def test_earlier_attempts_are_listed() -> None:
    error = ConnectionError("third")
    attach_attempts(error, (ConnectionError("first"), ConnectionError("second")))

    text = "\n".join(detail_as_text([dead(1, error, attempts=3)]))

    assert "attempts 3" in text
    assert "  Earlier attempts (2):\n    1. ConnectionError: first\n    2. ConnectionError: second\n" in text


def test_long_inputs_are_cut_and_say_so() -> None:
    lines = list(detail_as_text([dead(1, ValueError(), input="x" * 1_000_000)]))

    assert lines[-1].endswith("x… [999,800 more characters]")
    assert len(lines[-1]) < 300


def test_nothing_of_a_key_an_input_or_an_error_drives_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\r\n\t\x00\u202e\u2028\x9b2J\ud800"

    text = "\n".join(detail_as_text([dead(1, ValueError(evil), key=evil, input=evil)]))

    assert {character for character in text if not character.isprintable()} <= {"\n", "\t"}
    assert text.splitlines()[-1] == (
        r"  line 1        key \x1b]0;owned\x07\r\n\t\x00\u202e\u2028\x9b2J\ud800"
        r"   \x1b]0;owned\x07\r\n\t\x00\u202e\u2028\x9b2J\ud800"
    )


def test_text_that_is_no_danger_is_shown_as_it_is() -> None:
    lines = list(detail_as_text([dead(1, ValueError(), input="取引 \U0001f468\u200d\U0001f469 é ñ עברית")]))

    assert lines[-1].endswith("取引 \U0001f468\u200d\U0001f469 é ñ עברית")


def test_json_has_every_field_of_every_item() -> None:
    letters = [dead(1, raised(ValueError("\x1b\ud800"))), dead(2, ValueError())]

    as_json = json.loads(json.dumps(detail_as_json(letters)))

    assert as_json == letters
    assert set(as_json[0]) == set(Dead.__annotations__)
