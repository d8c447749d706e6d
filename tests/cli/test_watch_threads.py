"""How a watched program ends that has threads: as python ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.command import CommandLine

LEFT_OPEN = """\
import atexit, threading
from concurrent.futures import ThreadPoolExecutor
atexit.register(lambda: print("last", threading.main_thread().is_alive()))
left_open = ThreadPoolExecutor(1)
left_open.submit(print, "worked").result()
def after_main(): left_open.submit(print, "late"); threading.main_thread().join(); print("joined")
threading.Thread(target=after_main).start()
"""
WAITED_FOR = """\
import threading, time
threading.Thread(target=lambda: (time.sleep(3), print("done", flush=True))).start()
print("waiting", flush=True)
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_an_executor_that_nobody_shut_down_holds_up_nothing(unlost: CommandLine) -> None:
    unlost.write("app.py", LEFT_OPEN)
    alone = subprocess.run([sys.executable, "app.py"], cwd=unlost.folder, capture_output=True, text=True, timeout=60)

    done = unlost("watch", "--json", "found.json", "--report", "found.html", "app.py")

    assert done.stdout == alone.stdout
    assert "last" in done.stdout
    assert done.stderr.count("Traceback") == alone.stderr.count("Traceback") == 0
    assert (unlost.folder / "found.json").exists()
    assert (unlost.folder / "found.html").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent to whole groups there")
def test_ctrl_c_while_threads_are_waited_for_ends_the_waiting_as_in_python(unlost: CommandLine) -> None:
    unlost.write("app.py", WAITED_FOR)
    began = time.monotonic()
    watched = unlost.start("watch", "app.py")
    assert watched.stdout is not None
    watched.stdout.readline()
    time.sleep(0.3)

    watched.send_signal(signal.SIGINT)
    out, err = watched.communicate(timeout=30)

    assert out == "done\n" or time.monotonic() - began < 3
    assert watched.returncode == 0
    assert err.index("KeyboardInterrupt") < err.index("unlost watch: what became")
