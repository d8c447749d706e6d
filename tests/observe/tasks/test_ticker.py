"""The thread that looks around: where the process forks, and what it keeps alive."""

from __future__ import annotations

import _thread
import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from weakref import ref

import pytest

from unlost.observe.tasks._died import Died, each_task
from unlost.observe.tasks._ticker import Ticker
from unlost.observe.watch import Collector

FORKS = """
import gc, os, sys, time
from unlost.observe.tasks._ticker import Ticker
GC
seen = []
ticker = Ticker(seen.append, 0.01, print)
def ticks():
    seen.clear()
    end = time.monotonic() + 20
    while not seen and time.monotonic() < end:
        [[] for _ in range(10_000)]  # as a program does that goes on: sooner or later garbage is collected
        time.sleep(0.01)
    return bool(seen)
for _ in range(3):
    if (child := os.fork()) == 0:
        os._exit(0 if ticks() else 1)
    assert os.waitpid(child, 0)[1] == 0, "not in the child"
assert ticks(), "not in the parent"
ticker.stop()
seen.clear()
time.sleep(0.05)
assert not seen, "not stopped"
assert not gc.callbacks
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_is_not_warned_of_and_it_goes_on_in_both_processes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKS.replace("GC", "")],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


REFUSED = """
import os
from unlost.observe.tasks._ticker import Ticker
def refuse(*_):
    raise RuntimeError("refused")
faults = []
ticker = Ticker(lambda now: None, 1, faults.append)
REFUSES
if (child := os.fork()) == 0:
    os._exit(0)
os.waitpid(child, 0)
print(len(faults))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize(
    ("refuses", "faults"), [("os.stat = refuse", "0"), ("Ticker.pause = refuse", "1")], ids=["os.stat", "a fault"]
)
def test_at_a_fork_nothing_of_ours_comes_out(tmp_path: Path, refuses: str, faults: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REFUSED.replace("REFUSES", refuses)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout.strip()) == (0, faults)
    assert "refused" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_it_goes_on_after_a_fork_where_no_garbage_is_collected(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS.replace("GC", "gc.disable()")],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


@pytest.mark.stock
@pytest.mark.parametrize("is_ended", ["stop", "pause"])
def test_it_can_be_ended_while_its_thread_is_being_started(is_ended: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    ticker = Ticker(seen.append, 0.01, print)
    ticker.pause()
    is_starting, may_start = threading.Event(), threading.Event()
    start = threading.Thread.start

    def start_late(thread: threading.Thread) -> None:
        is_starting.set()
        may_start.wait(20)
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start_late)
        _thread.start_new_thread(ticker.start, ())
        assert is_starting.wait(20)
        getattr(ticker, is_ended)()
        may_start.set()
    seen.clear()
    time.sleep(0.05)
    ticker.stop()

    assert not seen


async def test_looking_at_a_task_keeps_no_other_one_alive() -> None:
    async def nothing() -> None: ...

    tasks = {asyncio.create_task(nothing()) for _ in range(3)}
    await asyncio.wait(tasks)
    looking = each_task()
    first = next(task for task in looking if task in tasks)
    others = [ref(task) for task in tasks if task is not first]
    tasks.clear()
    gc.collect()

    assert [other() for other in others] == [None, None]
    del looking


async def test_what_is_looked_at_is_let_go_of() -> None:
    async def fail() -> None:
        raise ValueError("it broke")

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)
    died = Died(Collector(), 10.0)
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    died.look(0.0)
    reference = ref(task)
    del task
    gc.collect()
    died.look(1.0)

    assert reference() is None
    assert not died._seen
