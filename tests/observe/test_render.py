"""A record reads like a traceback, and says what it left out."""

from typing import Any

import pytest

from unlost.errors import attach_attempts
from unlost.observe import record, render


def error_from(source: str) -> BaseException:
    library: dict[str, Any] = {"__name__": "httpx._client"}
    exec(compile("def send(): return inner()\ndef inner(): 1 / 0", "/v/site-packages/httpx.py", "exec"), library)
    jobs: dict[str, Any] = {"__name__": "jobs", "send": library["send"]}
    exec(compile(source, "/app/jobs.py", "exec"), jobs)
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # whatever the source raises
        jobs["fetch"]()
    # without the frame of this helper
    return caught.value.with_traceback(caught.value.__traceback__.tb_next)  # type: ignore[union-attr]  # it was raised


def test_own_frames_are_shown_and_library_frames_folded() -> None:
    error = error_from("def fetch():\n    send()")
    error.add_note("line 4417")

    assert render(record(error)).split("\n") == [
        "Traceback (innermost last):",
        '  File "/app/jobs.py", line 2, in fetch',
        "  … 2 frames in httpx",
        "ZeroDivisionError: division by zero",
        "line 4417",
        "  [defect]",
    ]


def test_cause_and_context_come_first_in_pythons_words() -> None:
    cause, error = ValueError("low"), RuntimeError("high")
    error.__cause__ = cause
    handling = KeyError("later")
    handling.__context__ = error

    lines = render(record(handling)).split("\n")
    low, high = lines.index("ValueError: low"), lines.index("RuntimeError: high")
    assert lines[low:high].count("The above exception was the direct cause of the following exception:") == 1
    assert lines[high:].count("During handling of the above exception, another exception occurred:") == 1
    assert "KeyError: 'later'" in lines[high:]


def test_members_of_a_group_stand_as_a_tree() -> None:
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [ValueError(1), ValueError(2)]), TypeError(3)])

    assert render(record(group)).split("\n") == [
        "ExceptionGroup: outer (2 sub-exceptions)",
        "  [defect]",
        "  ├─ member 1 of 2",
        "  │  ExceptionGroup: inner (2 sub-exceptions)",
        "  │    [permanent]",
        "  │    ├─ member 1 of 2",
        "  │    │  ValueError: 1",
        "  │    │    [permanent]",
        "  │    └─ member 2 of 2",
        "  │       ValueError: 2",
        "  │         [permanent]",
        "  └─ member 2 of 2",
        "     TypeError: 3",
        "       [defect]",
    ]


def test_attempts_are_listed_with_their_places() -> None:
    last = ConnectionError("second")
    attach_attempts(last, (error_from("def fetch():\n    send()"),))

    assert render(record(last)).split("\n")[-2:] == [
        "Earlier attempts (1):",
        "  1. ZeroDivisionError: division by zero    jobs.py:2 in fetch → httpx.send",
    ]


def test_what_was_cut_is_said() -> None:
    error: BaseException = ValueError("root")
    for number in range(100):
        above = RuntimeError(number)
        above.__cause__ = error
        error = above
    text = render(record(error))
    group = render(record(ExceptionGroup("wide", [ValueError(number) for number in range(1000)])))

    assert text.startswith("ValueError: root")
    assert "… 84 errors between these two left out" in text
    assert "… 968 more errors left out, for the size of this record" in group


def test_a_recursion_is_shown_once_with_its_count() -> None:
    def down(depth: int) -> None:
        if depth:
            down(depth - 1)
        raise ValueError

    with pytest.raises(ValueError) as caught:  # noqa: PT011  # only the traceback matters
        down(50)

    assert "… repeated 49 more times" in render(record(caught.value))


def test_an_error_that_stands_elsewhere_in_the_tree_is_said_to() -> None:
    error = ValueError("loop")
    error.__cause__ = error

    assert "(recorded in full elsewhere in this tree)" in render(record(error))


def test_control_characters_are_escaped() -> None:
    assert render(record(ValueError("a\x1b[31mb\tc\nd"))).startswith("ValueError: a\\x1b[31mb\tc\nd")
