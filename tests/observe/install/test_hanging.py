"""``install(hang=...)`` and SIGUSR1: who waits for what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from unlost import install
from unlost.errors import UsageError

from .conftest import Ran

WAITS = """
import asyncio, os, signal, time, unlost

async def waits(queue):
    await queue.get()

async def main():
    task = asyncio.create_task(waits(asyncio.Queue()), name="consumer")
    await asyncio.sleep(0)
    ASKS
    await asyncio.sleep(1)
    task.cancel()

watching = unlost.install(HANG)
asyncio.run(main())
"""

signals = pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")


def test_where_no_task_makes_a_step_it_is_told_who_waits_for_what(ran: Ran) -> None:
    told = ran(WAITS.replace("HANG", "hang=0.3").replace("ASKS", ""))

    assert told.count("no task has made a step for 0.") == 1
    assert "task 'consumer' (waits())" in told
    assert "waits for an item from queue queue; no task was seen to feed it" in told


def test_unless_it_was_asked_for_nothing_is_told_of_that(ran: Ran) -> None:
    told = ran(WAITS.replace("HANG", "").replace("ASKS", ""))

    assert told == ""


@signals
def test_a_signal_asks_and_the_program_goes_on(ran: Ran) -> None:
    told = ran(WAITS.replace("HANG", "").replace("ASKS", "os.kill(os.getpid(), signal.SIGUSR1)"))

    assert told.count("pending tasks, and what each waits for:") == 1
    assert "waits for an item from queue queue" in told


@signals
def test_the_signal_is_the_defaults_again_in_the_end(ran: Ran) -> None:
    told = ran(
        "import signal, unlost\nwith unlost.install():\n"
        "    assert signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL\n"
        "assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL\n"
    )

    assert told == ""


@signals
def test_a_handler_of_the_users_stays(ran: Ran) -> None:
    told = ran(
        "import signal, unlost\nmine = lambda *_: None\nsignal.signal(signal.SIGUSR1, mine)\nunlost.install()\n"
        "assert signal.getsignal(signal.SIGUSR1) is mine\n"
    )

    assert told == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what C code has taken")
def test_faulthandlers_own_stays(tmp_path: Path) -> None:
    program = (
        "import faulthandler, os, signal, unlost\nfaulthandler.register(signal.SIGUSR1)\nunlost.install()\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0
    assert "Current thread" in done.stderr
    assert "pending" not in done.stderr


@pytest.mark.parametrize("hang", [0, -1, True, "30s", float("nan"), float("inf")])
def test_what_is_no_number_of_seconds_is_refused(hang: float) -> None:
    with pytest.raises(UsageError, match=r"is no number of seconds above 0\. Write hang=30\."):
        install(hang=hang)
