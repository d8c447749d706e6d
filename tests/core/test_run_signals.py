"""The entry point as a process: Ctrl-C, SIGTERM, what is said, and the status that the shell sees."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.waiting import until

pytestmark = [
    pytest.mark.stock,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that another process can send"),
]

HEAD = """import asyncio, os, signal, sys, threading, time
from unlost._core.background._background import Background
from unlost._core.background._run import run
from unlost._core.background._spawn import spawn

def ready():
    open("ready", "w").close()

"""


class Program:
    """A script in a process of its own, and in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, body: str) -> subprocess.Popen[str]:
        (self.folder / "program.py").write_text(HEAD + body, encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, "program.py"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "", "PYTHONUNBUFFERED": ""},
            preexec_fn=_with_default_signals,
        )

    def run(self, body: str) -> tuple[int, str, str]:
        process = self.start(body)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        return process.returncode, out, err

    def interrupt(self, body: str, *numbers: signal.Signals) -> tuple[int, str, str]:
        """Start it; when it says that it is ready send the signals, a person's two presses apart; wait for its end."""
        process = self.start(body)
        until(lambda: (self.folder / "ready").exists() or process.poll() is not None)
        for place, number in enumerate(numbers):
            if place:
                time.sleep(0.5)
            process.send_signal(number)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
        return process.returncode, out, err


def _with_default_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


WAITING = """
async def main():
    try:
        ready()
        await asyncio.sleep(100)
    except asyncio.CancelledError as cancelled:
        print("asked:", cancelled)
        raise
    finally:
        await asyncio.sleep(0.01)
        print("cleaned up")

run(main)
"""


def test_ctrl_c_cancels_main_and_shows_where_it_was(program: Program) -> None:
    status, out, err = program.interrupt(WAITING, signal.SIGINT)

    assert status == -signal.SIGINT  # the shell says 130
    assert out == "asked: Ctrl-C\ncleaned up\n"
    assert err.endswith("\nKeyboardInterrupt\n")
    assert err.count("Traceback (most recent call last):") == 1
    assert "in main\n    await asyncio.sleep(100)\n" in err
    assert "runners.py" not in err
    assert "base_events.py" not in err


def test_sigterm_cancels_main_and_the_shell_sees_143(program: Program) -> None:
    assert program.interrupt(WAITING, signal.SIGTERM) == (143, "asked: SIGTERM\ncleaned up\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_main_that_handles_it_and_returns_ends_well(program: Program, number: signal.Signals) -> None:
    body = """
async def main():
    try:
        ready()
        await asyncio.sleep(100)
    except asyncio.CancelledError:
        return "in spite of it"

print(run(main))
"""

    assert program.interrupt(body, number) == (0, "in spite of it\n", "")


def test_what_main_raises_in_its_cleanup_is_reported_and_the_status_stays(program: Program) -> None:
    body = """
async def main():
    try:
        ready()
        await asyncio.sleep(100)
    finally:
        raise ValueError("cleanup")

run(main)
"""
    status, _, err = program.interrupt(body, signal.SIGTERM)

    assert status == 143
    assert err.startswith("unlost: SystemExit comes out in its place; the program was ending\nTraceback")
    assert err.endswith("ValueError: cleanup\n")


def test_the_second_ctrl_c_says_what_still_runs_and_ends_at_once(program: Program) -> None:
    body = """
async def worker():
    await asyncio.Event().wait()

async def main():
    task = asyncio.create_task(worker(), name="worker")
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 100)
    print("said before")
    ready()
    while True:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            pass

try:
    run(main)
finally:
    print("never said")
"""
    status, out, err = program.interrupt(body, signal.SIGINT, signal.SIGINT)

    assert status == -signal.SIGINT
    assert out == "said before\n"
    lines = err.splitlines()
    assert re.fullmatch(r"unlost: Ctrl-C again, ending at once; the first was \d+\.\d s ago", lines[0])
    assert lines[1:] == [
        "  task 'main', cancellation requested, still running at program.py:20 in main",
        "  task 'worker', still running at program.py:11 in worker",
        "  thread 'unlost-0', called for sleep(), still running",
    ]


def test_a_main_that_holds_the_loop_is_named_with_its_line(program: Program) -> None:
    body = """
async def main():
    ready()
    time.sleep(100)

run(main)
"""
    status, _, err = program.interrupt(body, signal.SIGINT, signal.SIGTERM)

    assert status == -signal.SIGTERM
    assert err.splitlines()[1:] == [
        "  task 'main', holds the event loop at program.py:12 in main",
    ]
    assert err.startswith("unlost: SIGTERM again")


def test_a_main_that_ignores_its_cancellation_is_named_after_the_grace(program: Program) -> None:
    body = """
async def main():
    ready()
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            pass

run(main, grace=0.2)
"""
    status, _, err = program.interrupt(body, signal.SIGTERM)

    assert status == 0
    assert err == "unlost: task 'main': cancellation requested 0.2 s ago, still running at program.py:15 in main\n"


def test_a_signal_when_main_is_over_ends_the_grace(program: Program) -> None:
    body = """
async def background():
    ready()
    try:
        await asyncio.sleep(100)
    except asyncio.CancelledError as cancelled:
        print(cancelled)
        raise

async def main():
    spawn(background)
    return "value"

run(main, grace=60)
"""

    assert program.interrupt(body, signal.SIGTERM) == (143, "SIGTERM\n", "")


def test_handlers_of_the_program_stay(program: Program) -> None:
    body = """
signal.signal(signal.SIGTERM, lambda *_: print("its own", flush=True))
signal.signal(signal.SIGINT, signal.SIG_IGN)

async def main():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.01)

run(main)
os.kill(os.getpid(), signal.SIGTERM)
"""

    assert program.run(body) == (0, "its own\nits own\n", "")


def test_afterwards_both_signals_do_again_what_they_did(program: Program) -> None:
    body = """
async def main():
    pass

run(main)
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGTERM).name)
"""

    assert program.run(body) == (0, "True SIG_DFL\n", "")


def test_a_program_in_another_thread_leaves_the_signals_of_the_first_one(program: Program) -> None:
    body = """
async def other():
    return 1

async def main():
    await asyncio.to_thread(run, other)
    try:
        ready()
        await asyncio.sleep(100)
    except asyncio.CancelledError as cancelled:
        return str(cancelled)

print(run(main))
"""

    assert program.interrupt(body, signal.SIGTERM) == (0, "SIGTERM\n", "")


def test_a_signal_to_a_forked_child_does_not_reach_its_parent(program: Program) -> None:
    body = """
async def main():
    child = os.fork()
    if child == 0:
        time.sleep(100)
        os._exit(0)
    await asyncio.sleep(0.05)
    os.kill(child, signal.SIGTERM)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    await asyncio.sleep(0.1)
    return os.waitstatus_to_exitcode(status)

print(run(main))
"""

    assert program.run(body) == (0, "-15\n", "")


def test_a_stuck_thread_does_not_keep_the_process(program: Program) -> None:
    body = """
def stuck():
    time.sleep(100)

async def main():
    asyncio.get_running_loop().run_in_executor(None, stuck)
    await asyncio.sleep(0.05)

run(main, grace=0.1)
"""
    began = time.monotonic()
    status, out, err = program.run(body)

    assert (status, out) == (0, "")
    assert err == (
        "unlost: thread 'unlost-0', called for stuck(), still running at program.py:11 in stuck; it is abandoned\n"
    )
    assert time.monotonic() - began < 30


def test_a_task_that_ignores_cancellation_does_not_keep_the_process(program: Program) -> None:
    body = """
async def mule():
    while True:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            pass

async def main():
    spawn(mule)
    await asyncio.sleep(0)

run(main, grace=0.1, stop_within=0.1)
"""
    status, out, err = program.run(body)

    assert (status, out) == (0, "")
    assert err == (
        "unlost: background task 'mule': cancellation requested 0.1 s ago, still running at program.py:13 in mule; "
        "spawned at program.py:18 in main\n"
    )


def test_an_async_generator_that_does_not_close_is_named(program: Program) -> None:
    body = """
async def generator():
    try:
        yield 1
    finally:
        await asyncio.sleep(100)

async def main():
    global left
    left = generator()
    await anext(left)

run(main, stop_within=0.1)
left = None
"""
    status, _, err = program.run(body)

    assert status == 0
    assert err.splitlines()[0] == (
        "unlost: async generator: asked to close 0.1 s ago, still running at program.py:14 in generator"
    )


def test_a_failing_finalizer_is_reported_without_logging(program: Program) -> None:
    body = """
import logging
logging.disable(logging.CRITICAL)

async def generator():
    try:
        yield 1
    finally:
        raise ValueError("finalizer")

async def main():
    global left
    left = generator()
    await anext(left)

run(main)
"""
    status, _, err = program.run(body)

    assert status == 0
    assert err.startswith("unlost: an error occurred during closing of asynchronous generator")
    assert err.endswith("ValueError: finalizer\n")


@pytest.mark.parametrize(
    ("raised", "status"), [("SystemExit(3)", 3), ("SystemExit()", 0), ("KeyboardInterrupt()", -signal.SIGINT)]
)
def test_an_exit_in_a_task_is_the_status_of_the_program(program: Program, raised: str, status: int) -> None:
    body = f"""
async def leave():
    raise {raised}

async def main():
    task = asyncio.create_task(leave())
    try:
        await asyncio.sleep(100)
    finally:
        await asyncio.sleep(0.01)
        print("cleaned up")

run(main)
"""
    ended, out, err = program.run(body)

    assert (ended, out) == (status, "cleaned up\n")
    assert "never retrieved" not in err
    assert "asyncio" not in err


def test_a_background_failure_is_the_status_of_the_program(program: Program) -> None:
    body = """
async def fail():
    raise ValueError("in the background")

async def main():
    spawn(fail)

run(main)
"""
    status, _, err = program.run(body)

    assert status == 1
    assert err.startswith("unlost: background task 'fail', spawned at program.py:14 in main, failed\nTraceback")
    assert "ExceptionGroup: 1 background task failed, reported when it happened, and nobody awaited it" in err
