"""Where an exception was raised that a process of a pool sent."""

from __future__ import annotations

import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from concurrent.futures.process import _ExceptionWithTraceback
from multiprocessing import pool
from pathlib import Path

import pytest

from unlost.observe.watch._remote import frames_there

SENDS: list[type] = [_ExceptionWithTraceback, vars(pool)["ExceptionWithTraceback"]]
HERE = Path(__file__).name


def deep(text: str) -> None:
    raise ValueError(text)


def fail(text: str = "x") -> None:
    deep(text)


def fail_in_a_comprehension() -> None:
    [deep(word) for word in ["a"]]


def fail_from_another() -> None:
    try:
        fail()
    except ValueError as cause:
        raise KeyError("other") from cause


def fail_with_a_traceback_in_its_text() -> None:
    try:
        fail_from_another()
    except KeyError:
        raise ValueError(f"failed:\n{traceback.format_exc()}") from None


def fail_with_a_traceback_in_a_note() -> None:
    try:
        fail_with_a_traceback_in_its_text()
    except ValueError as error:
        noted = ValueError("x")
        noted.add_note(str(error))
        raise noted from None


def fail_with_a_group() -> None:
    try:
        fail()
    except ValueError as member:
        raise ExceptionGroup("two", [member, KeyError("b")]) from None


def sent(act: Callable[[], object], how: type = SENDS[0]) -> BaseException:
    """Return what comes of what ``act`` raises on its way from a process of a pool."""
    with pytest.raises((ValueError, KeyError, ExceptionGroup)) as raised:
        act()
    arrived = pickle.loads(pickle.dumps(how(raised.value, raised.tb)))
    assert isinstance(arrived, BaseException)
    assert arrived.__traceback__ is None
    return arrived


def functions_of(error: BaseException) -> list[str]:
    return [site.function for site in frames_there(error)]


@pytest.mark.parametrize("how", SENDS)
def test_the_frames_there_are_those_of_the_text_that_comes_with_it(how: type) -> None:
    frames = frames_there(sent(fail, how))

    assert [(Path(site.file).name, site.function, site.app) for site in frames] == [
        (HERE, name, True) for name in ("sent", "fail", "deep")
    ]
    assert frames[-1].line == deep.__code__.co_firstlineno + 1
    assert frames[-1].module == __name__


@pytest.mark.parametrize(
    ("act", "functions"),
    [
        (fail_from_another, ["sent", "fail_from_another"]),
        (fail_with_a_group, ["sent", "fail_with_a_group"]),
        (lambda: fail('a\nTraceback (most recent call last):\n  File "b", line 1, in c\nd'), ["fail", "deep"]),
    ],
)
def test_they_are_its_own_and_not_of_its_cause_its_members_or_its_text(
    act: Callable[[], object], functions: list[str]
) -> None:
    assert functions_of(sent(act))[-2:] == functions


def test_a_comprehension_is_the_function_that_it_is_in() -> None:
    assert list(dict.fromkeys(functions_of(sent(fail_in_a_comprehension)))) == [
        "sent",
        "fail_in_a_comprehension",
        "deep",
    ]


def test_of_a_deep_one_the_innermost_are_kept() -> None:
    def down(depth: int) -> None:
        up(depth - 1) if depth else fail()

    def up(depth: int) -> None:
        down(depth)

    frames = functions_of(sent(lambda: down(200)))

    assert len(frames) == 64
    assert frames[-2:] == ["fail", "deep"]


class RemoteTraceback(Exception):
    """What a library may have by that name."""

    def __init__(self, tb: object = None) -> None:
        if tb is not None:
            self.tb = tb


@pytest.mark.parametrize("cause", [None, ValueError("x"), RemoteTraceback(), RemoteTraceback(7), RemoteTraceback("")])
def test_where_no_text_comes_with_it_there_are_none(cause: BaseException | None) -> None:
    error = ValueError("x")
    error.__cause__ = cause

    assert frames_there(error) == ()


@pytest.mark.parametrize("act", [fail_with_a_traceback_in_its_text, fail_with_a_traceback_in_a_note])
def test_where_its_text_holds_a_traceback_with_a_cause_no_frames_are_told(act: Callable[[], object]) -> None:
    assert functions_of(sent(act)) == []


PROGRAM = """
import sys, unlost
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

def work():
    raise ValueError("bad")

def lose(pool):
    pool.submit(work)

if __name__ == "__main__":
    unlost.install(sinks=["stderr"])
    with ThreadPoolExecutor(1) as threads:
        lose(threads)
    with ProcessPoolExecutor(1) as processes:
        lose(processes)
"""


def test_in_a_pool_of_threads_and_in_one_of_processes_it_is_the_same_bug(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PROGRAM, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )

    [first] = [line for line in done.stderr.splitlines() if "nobody ever took it" in line and "more" not in line]
    assert "lost in a concurrent future" in first
    assert 'app.py", line 6, in work' in done.stderr
    assert "1 more" in done.stderr
