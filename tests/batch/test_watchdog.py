"""A blocked event loop is noticed, with the place in the user's code; what only looks like one is not."""

from __future__ import annotations

import asyncio
import bdb
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.command import CommandLine
from unlost.batch import Progress
from unlost.batch._blocked import Blocked
from unlost.batch._watchdog import INTERVAL, NOTICED, Tally, _Pulse, _Watchdog, ran, watched
from unlost.observe import Running

_HERE = Path(__file__).name
PARSE = Running("jobs.py", "parse", 12, None)
PARSE_BELOW = Running("jobs.py", "parse", 14, None)
FETCH = Running("jobs.py", "fetch", 3, "requests.get")


def test_what_is_shorter_than_the_threshold_is_forgotten() -> None:
    tally = Tally()
    tally.saw(PARSE, 0.1)

    assert not tally.turned(NOTICED - 0.01)
    assert tally.turned(NOTICED)
    assert tally.blocked() == Blocked(NOTICED)


def test_short_ones_do_not_add_up() -> None:
    tally = Tally()
    for _ in range(100):
        tally.saw(PARSE, 0.15)
        tally.turned(0.15)

    assert tally.blocked().seconds == 0


def test_a_block_is_shared_by_the_places_where_the_loop_was_seen() -> None:
    tally = Tally()
    tally.saw(PARSE, 0.1)
    tally.saw(FETCH, 0.2)

    assert tally.turned(0.6)
    assert tally.blocked().seconds == pytest.approx(0.6)
    assert dict(tally.blocked().places) == pytest.approx(
        {"jobs.py:3 in fetch → requests.get": 0.4, "jobs.py:12 in parse": 0.2}
    )


def test_a_function_is_one_place_with_the_line_at_which_it_was_longest() -> None:
    tally = Tally()
    for place, seconds in ((PARSE, 0.2), (PARSE_BELOW, 0.5), (PARSE, 0.1)):
        tally.saw(place, seconds)
    tally.turned(0.8)

    assert tally.blocked().places == (("jobs.py:14 in parse", pytest.approx(0.8)),)


def test_the_ten_longest_places_are_told_the_longest_first() -> None:
    tally = Tally()
    for number in range(30):
        tally.saw(Running("jobs.py", f"f{number}", 1, None), 1 + number)
    tally.turned(500)

    assert [where for where, _ in tally.blocked().places] == [f"jobs.py:1 in f{number}" for number in range(29, 19, -1)]


def test_a_block_that_nobody_saw_counts_and_has_no_place() -> None:
    tally = Tally()

    assert tally.turned(3.0)
    assert tally.blocked() == Blocked(3.0)


@pytest.mark.parametrize(
    ("slept", "cpu", "counted"),
    [
        (INTERVAL, 0.0, INTERVAL),
        (60.0, 0.0, INTERVAL),  # the process was stopped
        (3.0, 2.9, 2.95),  # somebody held the GIL
        (3.0, 8.0, 3.0),  # and others computed beside it
    ],
)
def test_a_sleep_that_was_too_long_counts_as_far_as_a_processor_was_used(
    slept: float, cpu: float, counted: float
) -> None:
    assert ran(slept, cpu) == pytest.approx(counted)


@pytest.mark.parametrize(
    ("seconds", "of_seconds", "notable"), [(0.0, 0.0, False), (0.3, 5.9, True), (0.3, 6.1, False), (1.0, 9999.0, True)]
)
def test_a_second_or_a_twentieth_of_the_run_is_worth_a_line(seconds: float, of_seconds: float, notable: bool) -> None:
    assert Blocked(seconds).is_notable(of_seconds) is notable


def sleep_in_a_job() -> None:
    time.sleep(0.4)


def wait_for_another() -> None:
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.4)"], capture_output=True, check=True)


def hold_the_gil() -> None:
    sum(range(60_000_000))


async def _blocked_by(*calls: object) -> Blocked:
    progress = Progress()
    with watched(progress, ()):
        for call in calls:
            await asyncio.sleep(0.12)
            call()  # type: ignore[operator]  # functions of this file
        await asyncio.sleep(0.12)
    return progress.blocked


@pytest.mark.stock
async def test_a_call_that_blocks_is_noticed_with_its_place() -> None:
    blocked = await _blocked_by(sleep_in_a_job)

    assert 0.3 <= blocked.seconds <= 0.6
    line = sleep_in_a_job.__code__.co_firstlineno + 1
    assert [where for where, _ in blocked.places] == [f"{_HERE}:{line} in sleep_in_a_job"]


@pytest.mark.stock
async def test_a_call_that_waits_as_the_loop_does_is_noticed_with_its_place() -> None:
    blocked = await _blocked_by(wait_for_another)

    assert blocked.seconds > 0.3
    assert [where for where, _ in blocked.places] == [
        f"{_HERE}:{wait_for_another.__code__.co_firstlineno + 1} in wait_for_another → subprocess.run"
    ]


@pytest.mark.stock
async def test_a_call_that_holds_the_gil_is_noticed_with_its_place() -> None:
    took = 0.0

    def timed() -> None:
        nonlocal took
        began = time.thread_time()  # what a busy machine takes away meanwhile is not held by the call
        hold_the_gil()
        took = time.thread_time() - began

    blocked = await _blocked_by(timed)

    assert took > 2 * NOTICED, "the call is too quick here to show anything"
    assert blocked.seconds >= took / 2
    line = hold_the_gil.__code__.co_firstlineno + 1
    assert [where for where, _ in blocked.places] == [f"{_HERE}:{line} in hold_the_gil"]


@pytest.mark.stock
async def test_a_call_in_a_thread_lets_the_loop_turn() -> None:
    progress = Progress()
    with watched(progress, ()):
        await asyncio.to_thread(sleep_in_a_job)

    assert progress.blocked == Blocked()


@pytest.mark.stock
async def test_a_loop_that_waits_is_not_blocked() -> None:
    progress = Progress()
    with watched(progress, ()):
        await asyncio.sleep(0.6)

    assert progress.blocked == Blocked()


@pytest.mark.stock
async def test_a_loop_that_waits_and_is_woken_late_is_not_blocked() -> None:
    progress = Progress()
    pulse = _Pulse(asyncio.get_running_loop())
    watchdog = _Watchdog(pulse, progress, ())
    thread = threading.Thread(target=watchdog.watch)
    pulse._timer.cancel()  # as if no processor were left for it
    thread.start()
    await asyncio.sleep(0.6)
    pulse.stop()
    await asyncio.sleep(2 * INTERVAL)
    watchdog.stopped.set()
    thread.join()

    assert progress.blocked == Blocked()


@pytest.mark.stock
async def test_a_debugger_does_not_count() -> None:
    debugger = bdb.Bdb()

    blocked = await _blocked_by(lambda: debugger.runcall(sleep_in_a_job))

    assert blocked.seconds < 0.1


@pytest.mark.stock
async def test_the_thread_ends_with_the_block_and_the_loops_debug_mode_is_let_alone() -> None:
    debug = asyncio.get_running_loop().get_debug()
    with pytest.raises(ZeroDivisionError), watched(Progress(), ()):
        during = [thread for thread in threading.enumerate() if thread.name == "unlost watchdog"]
        assert asyncio.get_running_loop().get_debug() is debug
        raise ZeroDivisionError

    assert [thread.daemon for thread in during] == [True]
    assert not during[0].is_alive()


@contextmanager
def _stopped_for(seconds: float) -> Iterator[None]:
    """Stop this process soon, from another one, for so long."""
    script = f"import os, signal, time; time.sleep(0.3); os.kill({os.getpid()}, signal.SIGSTOP); time.sleep({seconds});"
    script += f"os.kill({os.getpid()}, signal.SIGCONT)"
    other = subprocess.Popen([sys.executable, "-c", script])
    yield
    other.wait()


@pytest.mark.stock
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this platform cannot stop a process")
async def test_a_process_that_was_stopped_was_not_blocked() -> None:
    progress = Progress()
    with _stopped_for(1.0), watched(progress, ()):
        began = time.monotonic()
        longest = 0.0
        while time.monotonic() - began < 1.9:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)

    assert longest > 0.9, "the process was not stopped"
    assert progress.blocked == Blocked()


JOB = """
import asyncio, time


async def work(item):
    await asyncio.sleep(0.01)
    parse(item)
    return item


def parse(item):
    if item["n"] == 3:
        time.sleep(1.2)
"""


@pytest.mark.stock
def test_the_summary_names_the_line_that_blocked_and_says_what_to_write(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", JOB)
    unlost.write_inputs(20)

    done = unlost("run", "jobs:work", "in.jsonl", "--display", "plain")

    (line,) = [line for line in done.stdout.splitlines() if "blocked" in line]
    assert line.startswith(" event loop blocked 1.")
    assert line.endswith("at jobs.py:13 in parse (await asyncio.to_thread(...) lets the others go on)")
    assert done.returncode == 0


@pytest.mark.stock
def test_json_has_the_places_and_their_seconds(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", JOB)
    unlost.write_inputs(5)

    done = unlost("run", "jobs:work", "in.jsonl", "--json")
    later = unlost.json("show", "work-1")

    blocked = json.loads(done.stdout)["blocked"]
    assert 1.0 <= blocked["seconds"] <= 2.0
    assert [place["where"] for place in blocked["places"]] == ["jobs.py:13 in parse"]
    assert later["blocked"] is None  # it is of an opening, and this one is looked at from outside
