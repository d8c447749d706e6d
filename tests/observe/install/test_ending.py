"""SIGTERM or SIGHUP while what is left is told: the process ends by it when that is done."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, logging, os, signal, subprocess, time, unlost

class Interrupted(logging.Handler):
    def emit(self, record):
        for _ in range(TIMES):
            subprocess.run(["kill", "-TERM", str(os.getpid())])
            time.sleep(WAITS)
        os.write(2, self.format(record).encode() + b"\\n")

async def boom():
    raise ValueError("it broke")

async def main():
    global held
    held = asyncio.create_task(boom())
    await asyncio.sleep(0)

logging.basicConfig(handlers=[Interrupted()])
unlost.install()
asyncio.run(main())
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")


def ended(program: str, folder: Path, times: int, waits: float = 0.0) -> tuple[int, str]:
    """Run it; return how it ended, and what it printed on standard error."""
    source = program.replace("TIMES", str(times)).replace("WAITS", str(waits))
    done = subprocess.run([sys.executable, "-c", source], cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", ["TERM", "HUP"])
def test_a_signal_at_the_end_waits_until_all_is_told(tmp_path: Path, name: str, times: int) -> None:
    code, told = ended(PROGRAM.replace("-TERM", f"-{name}"), tmp_path, times)

    assert code == -signal.Signals[f"SIG{name}"]
    assert "undelivered: it was still held when the program ended" in told
    assert "what became of the exceptions: undelivered 1" in told


def test_another_one_after_two_seconds_does_not_wait(tmp_path: Path) -> None:
    sooner = "from unlost._core.hooks import _holding\n_holding.LONGEST = 0.1\n"

    code, told = ended(sooner + PROGRAM, tmp_path, times=60, waits=0.3)

    assert code == -15
    assert "undelivered" not in told


@pytest.mark.parametrize(
    "last",
    ["", "installed.uninstall()", "signal.signal(signal.SIGALRM, print)"],
    ids=["at the end", "before the end", "no timer is free"],
)
def test_what_hangs_is_not_waited_for(tmp_path: Path, last: str) -> None:
    sooner = "from unlost._core.hooks import _holding\n_holding.LONGEST = 0.3\n"
    program = PROGRAM.replace("unlost.install()", "installed = unlost.install()") + last

    code, told = ended(sooner + program, tmp_path, times=1, waits=50)

    assert code == -15
    assert "SIGTERM ended the process before what became of its exceptions was told" in told


def test_more_than_one_sigterm_at_once_is_told_as_one(tmp_path: Path) -> None:
    program = PROGRAM + "subprocess.run(['kill', '-TERM', str(os.getpid())])\ntime.sleep(60)\n"

    code, told = ended(program, tmp_path, times=1)

    assert code == -15
    assert "undelivered: it was still held when the program ended" in told
    assert "terminated" not in told
