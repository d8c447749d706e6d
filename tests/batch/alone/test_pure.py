"""What the two processes say, how long silence lasts, what a death is called, what can be found again."""

from __future__ import annotations

import functools
import json
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlost.batch.alone._fit import unfit
from unlost.batch.alone._limit import LONGEST_WAIT, Limit
from unlost.batch.alone._lost import AloneFailed, WorkerLost, lost
from unlost.batch.alone._request import Request
from unlost.batch.alone._tail import LINES, Tail
from unlost.batch.alone._wire import Frame, packed, read_frame, unpacked, write_frame
from unlost.batch.journal._journal import Claimed
from unlost.batch.options._options import Options
from unlost.batch.source._reader import Reader
from unlost.batch.target._target import target_of
from unlost.errors import Kind, classify
from unlost.observe import record

# The wire


@given(st.text(), st.binary())
def test_a_frame_is_one_line_and_comes_back_as_it_was(text: str, data: bytes) -> None:
    line = write_frame("keep", 1, packed(text), packed(data))

    noise, frame = read_frame(line)
    assert line.count(b"\n") == line.count(b"\x1e") == 1
    assert noise == b""
    assert frame is not None
    assert [unpacked(part) for part in frame.parts[1:]] == [text, data]


def test_what_was_printed_before_a_frame_is_told_from_it() -> None:
    assert read_frame(b"hello" + write_frame("began")) == (b"hello", Frame("began", []))
    assert read_frame(b"[1, 2]\n") == (b"[1, 2]\n", None)


def test_a_frame_that_death_cut_off_is_none() -> None:
    assert read_frame(write_frame("ended", {"ok": True})[:-1]) == (b"", None)


def test_a_request_comes_back_as_it_was() -> None:
    claimed = Claimed(7, "k", 3, b"\xff\x00", 2, 2, {"a": b"\x01", "b": '"\\u00e9"'})
    reader = Reader(Path("in.jsonl"), "jsonl", "hash", 100)
    request = Request(claimed, "jobs:f", "hash", {"attempts": 3, "rate": ["5/s"]}, "r", 4, ("jobs",), reader, ("x",))

    told = json.loads(json.dumps(request.to_json()))

    assert Request.from_json(told) == request
    assert Request.from_json({**told, "claimed": {**told["claimed"], "kept": {}}}).claimed == replace(
        claimed, kept=None
    )


# Silence


def _limit(**options: float) -> Limit:
    return Limit(Options(**{"grace": 2.0, **options}))  # type: ignore[arg-type]  # all of them are seconds


def test_without_a_limit_an_item_may_take_for_ever() -> None:
    limit = _limit()
    limit.began(0)
    limit.attempt(0)
    assert limit.due is None

    limit.raised(5)

    assert limit.due is None


def test_an_attempt_has_its_timeout_and_the_grace_and_the_next_one_may_be_waited_for() -> None:
    limit = _limit(timeout=10.0)
    limit.began(0)
    limit.attempt(1)
    assert limit.due == 13
    assert limit.why == "it did not end by itself (timeout 10s, and 2s of grace)"

    limit.raised(5)
    assert limit.due == 5 + LONGEST_WAIT + 2

    limit.attempt(3000)
    assert limit.due == 3012


def test_the_deadline_bounds_all_attempts_and_waits() -> None:
    limit = _limit(timeout=10.0, deadline=15.0)
    limit.began(0)
    limit.attempt(0)
    assert limit.due == 12

    limit.raised(5)
    assert limit.due == 17
    assert limit.why == "it did not end by itself (deadline 15s, and 2s of grace)"

    limit.attempt(8)
    assert limit.due == 17


def test_what_is_left_after_the_outcome_has_the_grace_however_late_the_deadline_is() -> None:
    limit = _limit(deadline=1000.0)
    limit.began(0)

    limit.ended(3)

    assert limit.due == 5


def test_no_grace_is_a_little_one_so_that_a_timeout_inside_comes_first() -> None:
    limit = _limit(timeout=10.0, grace=0.0)

    limit.attempt(0)

    assert limit.due == 11


# Death


@pytest.mark.parametrize(
    ("returncode", "killed", "words", "attributes"),
    [
        (3, None, "run alone, its process exited with code 3 before it said what came of it", (3, None)),
        (0, None, "run alone, its process exited with code 0 before it said what came of it", (0, None)),
        (-11, None, "run alone, its process was ended by SIGSEGV", (None, "SIGSEGV")),
        (-9, None, "run alone, its process was ended by SIGKILL, as systems do", (None, "SIGKILL")),
        (-9, "it hung", "run alone, its process was killed: it hung", (None, "SIGKILL")),
        (-50, None, "run alone, its process was ended by signal 50", (None, "signal 50")),
    ],
)
def test_a_death_is_called_by_its_name(
    returncode: int, killed: str | None, words: str, attributes: tuple[int | None, str | None]
) -> None:
    error = lost(returncode, killed, "Segmentation fault")

    assert str(error).startswith(words)
    assert (error.exitcode, error.signal) == attributes
    assert error.__notes__ == ["the last lines that it printed:\nSegmentation fault"]
    assert classify(error) is Kind.PERMANENT


def test_the_errors_pickle() -> None:
    there = record(ConnectionError("no"))

    death, failure = pickle.loads(pickle.dumps((lost(3, None, "bye"), AloneFailed("title", there))))

    assert type(death) is WorkerLost
    assert (death.exitcode, death.signal, death.stderr) == (3, None, "bye")
    assert failure.record == there


def test_a_failure_there_is_of_the_kind_that_it_was_there() -> None:
    assert classify(AloneFailed("refused", record(ConnectionError("no")))) is Kind.TRANSIENT
    assert classify(AloneFailed("a bug", record(KeyError("price")))) is Kind.DEFECT


def test_the_last_lines_are_kept_and_redacted_and_all_are_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    tail = Tail()

    for number in range(LINES + 5):
        tail.take(f"line {number}\n".encode())
    tail.take("password=hunter2 and half a \N{SNOWMAN}".encode()[:-1])

    kept = tail.redacted().splitlines()
    assert len(kept) == LINES
    assert kept[0] == "line 6"
    assert kept[-1] == "password=*** and half a"
    assert capsys.readouterr().err.startswith("line 0\nline 1\n")


# What can be found again


async def job(item: object) -> None:
    """Be importable."""


class Client:
    async def fetch(self, item: object) -> None:
        """Be a bound method of a module's object."""


def test_a_function_of_a_module_can_be_found_by_another_process() -> None:
    assert unfit(target_of(job)) is None


def test_what_has_no_name_in_a_module_is_refused_with_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    async def inner(item: object) -> None:
        """Be no name of the module."""

    def in_main(name: str) -> str | None:
        return unfit(replace(target_of(job), spec=f"__main__:{name}"))

    assert "is defined in the program itself, or in a notebook. Write it into a module" in (in_main("job") or "")
    assert "a function within a function. Write it into a module" in (unfit(target_of(inner)) or "")
    assert "a partial, or one that was replaced" in (unfit(target_of(functools.partial(job))) or "")
    assert "a partial, or one that was replaced" in (unfit(target_of(Client().fetch)) or "")
    monkeypatch.setattr(sys, "executable", "")
    assert "sys.executable is empty" in (unfit(target_of(job)) or "")
