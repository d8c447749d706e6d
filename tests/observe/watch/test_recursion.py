"""Near the recursion limit, where there is no room left for what the watching itself calls."""
# ruff: noqa: SIM105  (what is watched is written as people write it)

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.observe.watch.recursions import NAMES

from unlost.observe.watch import Verdict, start

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is 3.12's")

PROGRAM = Path(__file__).with_name("recursions.py")
NO_ROOM = "RecursionError: the program had no room left for a call"
LONG = 60  # seconds; each takes less than one

_held = 0


def ends(*arguments: str) -> list[dict[str, Any]]:
    """Return how the recursions of a process ended, by where they began."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, check=True, timeout=LONG
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def unwatched() -> dict[str, dict[str, Any]]:
    return dict(zip(NAMES, ends(*NAMES), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_recursion_without_end_ends_as_it_does_unwatched(name: str, unwatched: dict[str, dict[str, Any]]) -> None:
    watched, faults = ends("watched", name)

    assert watched == unwatched[name]
    assert set(faults) <= {NO_ROOM}


def test_such_a_program_ends_under_the_command(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "def swallow():\n    try:\n        swallow()\n        raise ValueError\n    except Exception:\n        pass\n"
        "swallow()\nprint('ended')\n",
        encoding="utf-8",
    )

    done = subprocess.run(
        [sys.executable, "-m", "unlost", "watch", str(program)], capture_output=True, text=True, timeout=LONG
    )

    assert done.stdout == "ended\n"
    assert "RecursionError: the program had no room" in done.stderr


def with_finally() -> None:
    global _held
    _held += 1
    try:
        with_finally()
    finally:
        _held -= 1


def with_handler() -> None:
    global _held
    _held += 1
    try:
        with_handler()
    except Exception:
        pass
    _held -= 1


def too_deep(function: Callable[[], None]) -> None:
    try:
        function()
    except RecursionError:
        pass


@pytest.mark.parametrize("function", [with_finally, with_handler])
def test_each_frame_runs_what_handles_anything(function: Callable[[], None]) -> None:
    global _held
    _held = 0
    watch = start()

    too_deep(function)
    watch.stop()

    assert _held == 0
    assert set(watch.collector.faults) <= {NO_ROOM}


def raises_another() -> None:
    try:
        raises_another()
    except Exception as error:
        raise KeyError from error


def causes_of(function: Callable[[], None]) -> list[tuple[type[BaseException], int]]:
    """Return what came out, and each cause of that, with the number of frames that it crossed."""
    found: list[tuple[type[BaseException], int]] = []
    error: BaseException | None = None
    try:
        function()
    except KeyError as caught:
        error = caught
    while error is not None:
        found.append((type(error), crossed(error)))
        error = error.__cause__
    return found


def crossed(error: BaseException) -> int:
    frames, at = 0, error.__traceback__
    while at is not None:
        frames, at = frames + 1, at.tb_next
    return frames


def test_what_the_frame_at_the_very_limit_raises_is_a_recursion_error_and_the_rest_is_as_it_was() -> None:
    before = causes_of(raises_another)
    watch = start()

    watched = causes_of(raises_another)
    watch.stop()

    assert before[-2:] == [(KeyError, 2), (RecursionError, 1)]
    assert watched == [*before[:-2], (RecursionError, 1)]  # the KeyError of that frame, and what it came from


def names_a_type() -> None:
    global _held
    try:
        names_a_type()
    finally:
        try:
            int("none")
        except ValueError:
            _held += 1


def test_a_handler_of_that_frame_for_another_type_is_not_entered_and_all_others_are() -> None:
    global _held
    _held = 0
    too_deep(names_a_type)
    before, _held = _held, 0
    watch = start()

    too_deep(names_a_type)
    watch.stop()

    assert _held == before - 1


def test_a_handler_that_could_not_be_read_there_is_read_the_next_time() -> None:
    def swallow() -> None:
        try:
            int("no number")
        except Exception:
            pass

    def at_each_depth() -> None:
        try:
            at_each_depth()
        finally:
            swallow()

    watch = start()
    too_deep(at_each_depth)
    before = watch.collector.counts[Verdict.SWALLOWED]
    swallow()
    watch.stop()

    assert watch.collector.faults  # it was there
    assert watch.collector.counts[Verdict.SWALLOWED] == before + 1
