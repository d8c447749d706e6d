"""A process that ends itself by a signal, as servers do after an orderly stop."""

from __future__ import annotations

import signal
import sys

import pytest

from .conftest import Run

_START = """
import pickle, signal, subprocess
before = os.kill, signal.raise_signal
watch = start()
around = watch_tasks(watch, say=lambda name: print(f"said {name}", flush=True))
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.SIG_DFL)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this sort")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
@pytest.mark.parametrize("sends", ["signal.raise_signal({})", "os.kill(os.getpid(), {})"])
def test_it_is_preceded_by_what_there_is_to_say_and_ends_by_the_signal(run: Run, sends: str, name: str) -> None:
    number = signal.Signals[name]

    told = run(sends.format(int(number)), start=_START)

    assert told.code == -number
    assert told.out == f"said {name}\n"


def test_a_signal_that_the_program_handles_ends_nothing_and_nothing_is_said(run: Run) -> None:
    told = run(
        """
signal.signal(signal.SIGTERM, lambda number, frame: print("handled", flush=True))
signal.raise_signal(signal.SIGTERM)
os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), 0)
""",
        start=_START,
    )

    assert told.code == 0
    assert told.out == "handled\n" * 2


def test_a_signal_that_is_blocked_ends_nothing_and_nothing_is_said(run: Run) -> None:
    told = run(
        """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
signal.raise_signal(signal.SIGTERM)
print("goes on", flush=True)
signal.sigtimedwait([signal.SIGTERM], 0)
""",
        start=_START,
    )

    assert told.code == 0
    assert told.out == "goes on\n"


def test_a_signal_for_another_process_is_sent_and_nothing_is_said(run: Run) -> None:
    told = run(
        """
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
os.kill(other.pid, signal.SIGTERM)
print(other.wait())
""",
        start=_START,
    )

    assert told.out == "-15\n"


def test_what_is_refused_raises_what_it_did_and_both_pickle(run: Run) -> None:
    told = run(
        """
def raised(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        return type(error).__name__
refused = [raised(*call) for call in ((os.kill, 2**22 + 1, 15), (os.kill, "x", 15), (signal.raise_signal, 1000))]
pickled = [pickle.loads(pickle.dumps(one)) is one for one in (os.kill, signal.raise_signal)]
around.stop()
tell(refused=refused, pickled=pickled, after=(os.kill, signal.raise_signal) == before)
""",
        start=_START,
    )

    assert told.more == {
        "refused": ["ProcessLookupError", "TypeError", "OSError"],
        "pickled": [True, True],
        "after": True,
    }


def test_it_does_not_wait_for_one_who_has_too_much_to_say(run: Run) -> None:
    start = _START.replace('print(f"said {name}", flush=True)', "time.sleep(60)")
    start += "from unlost._core.hooks import _ending\n_ending.LONGEST = 0.1\n"

    told = run("signal.raise_signal(signal.SIGTERM)\n", start=start)

    assert told.code == -signal.SIGTERM
    assert "SIGTERM ended the process before what became of its exceptions was told" in told.err
