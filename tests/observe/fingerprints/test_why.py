"""Why two errors are one bug, or two, in words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from unlost.errors import attach_attempts
from unlost.observe import parts_of, record, what_varies, why, why_not

LIBRARY: dict[str, Any] = {"__name__": "shop._core.http"}
exec(
    compile("def get(number): raise OSError(number, 'no way')", "/v/site-packages/shop/_core/http.py", "exec"), LIBRARY
)
JOBS: dict[str, Any] = {"__name__": "jobs", "get": LIBRARY["get"]}
SOURCE = """
class JobFailed(Exception): pass
def price(number): get(number)
def one(number): price(number)
def other(number): price(number)
def wrapped(number):
    try: price(number)
    except OSError as error: raise JobFailed(f'job {number} failed') from error
def parse(row): return row['price']
"""
exec(compile(SOURCE, "/app/jobs.py", "exec"), JOBS)


def failed(name: str, argument: Any) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever it raises
        JOBS[name](argument)
    return caught.value.with_traceback(caught.value.__traceback__.tb_next if caught.value.__traceback__ else None)


def test_each_part_has_its_reason_and_what_was_left_out_is_said() -> None:
    assert list(why(record(failed("one", 111)))) == [
        "type: ConnectionRefusedError",
        "errno: 111",
        "message template: [Errno <n>] no way (without what varies)",
        "frame: jobs:price (yours, innermost)",
        "entered: shop:get (what that called, and is not yours)",
        "left out: line numbers; who called it (the full key has the innermost 8); frames of shop",
    ]


def test_a_cause_is_indented_under_what_it_caused() -> None:
    lines = list(why(record(failed("wrapped", 111))))

    assert lines[:2] == [
        "type: jobs.JobFailed",
        "message template: job <…> failed (word for word; what was filled in is <…>)",
    ]
    assert lines[3:6] == ["cause: (it was raised from)", "  type: ConnectionRefusedError", "  errno: 111"]


def test_the_members_of_a_group_are_its_parts_and_one_distinct_member_stands_for_itself() -> None:
    two = ExceptionGroup("some", [failed("one", 111), failed("parse", {}), failed("other", 111)])
    same = ExceptionGroup("some", [failed("one", 111), failed("other", 111)])

    assert [part.what for part in parts_of(record(two))] == ["type", "message template", "member", "member"]
    assert parts_of(record(same)) == parts_of(record(failed("one", 111)))


def test_attempts_notes_and_context_are_left_out_and_said_to_be() -> None:
    error = failed("parse", {})
    error.add_note("a note")
    error.__context__ = ValueError("before")
    attach_attempts(error, (TimeoutError("first"),))

    assert list(why(record(error)))[-1] == "left out: line numbers; earlier attempts; notes; context"


def test_what_varies_within_a_bug_is_what_only_the_full_key_has() -> None:
    one, other = record(failed("one", 111)), record(failed("other", 111))

    assert list(why(one)) == list(why(other))
    assert list(what_varies(one)) == ["frame: jobs:one (yours, called it)"]
    assert list(what_varies(other)) == ["frame: jobs:other (yours, called it)"]


def test_two_bugs_differ_in_these_parts_and_are_alike_in_those() -> None:
    assert list(why_not(record(failed("one", 111)), record(failed("one", 101)))) == [
        "type: ConnectionRefusedError  |  OSError",
        "errno: 111  |  101",
        "alike: message template, frame, entered",
    ]


def test_what_only_one_of_two_bugs_has_is_none_of_the_other() -> None:
    lines = list(why_not(record(failed("parse", {})), record(failed("wrapped", 111))))

    assert "cause's errno: (none)  |  111" in lines


def test_the_same_bug_does_not_differ() -> None:
    assert list(why_not(record(failed("one", 111)), record(failed("other", 111)))) == []


def test_control_characters_do_not_reach_the_terminal() -> None:
    evil = record(type("\x1b[31mE", (Exception,), {})("\x1b[2J\n\u202e"))

    text = "".join([*why(evil), *why_not(evil, record(ValueError()))])
    assert text.isprintable()


async def test_an_error_without_frames_is_explained_by_its_type() -> None:
    assert list(why(record(asyncio.CancelledError()))) == ["type: asyncio.CancelledError", "left out: line numbers"]
