"""At exit and across forks, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter

import pytest

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


def run(script, *, cwd, flags=()):
    return subprocess.run(
        [sys.executable, *flags, "-c", textwrap.dedent(script)], capture_output=True, text=True, cwd=cwd, timeout=60
    )


def test_what_is_held_back_is_told_at_exit(tmp_path):
    done = run(
        """
        from unlost.observe.sinks import Sinks, sinks_of
        sinks = Sinks(sinks_of(["stderr"]))
        for _ in range(3):
            sinks(ValueError("no"), "failed")
        """,
        cwd=tmp_path,
    )

    assert "and 2 more like it: ValueError no" in done.stderr
    assert done.returncode == 0


def test_what_a_slow_sink_has_not_sent_is_sent_at_exit(tmp_path):
    done = run(
        """
        import time
        from unlost.observe.sinks import Sinks

        class Slow:
            waits = True
            def emit(self, report):
                time.sleep(0.2)
                print(report.what, flush=True)
            def close(self):
                print("closed", flush=True)

        sinks = Sinks([Slow()])
        for number in range(3):
            sinks(ValueError("a" * number), f"number {number}")
        """,
        cwd=tmp_path,
    )

    assert done.stdout.split("\n")[:-1] == ["number 0", "number 1", "number 2", "closed"]
    assert done.stderr == ""


def test_what_is_first_found_at_exit_is_told(tmp_path):
    done = run(
        """
        import atexit
        from unlost.observe.sinks import Sinks, sinks_of
        from unlost.observe.watch import ErrorType, Finding, Verdict
        sinks = Sinks(sinks_of(["stderr"]))
        late = Finding(Verdict.UNDELIVERED, ErrorType("builtins", "ValueError"), "late", ())
        atexit.register(lambda: sinks.found(late))
        """,
        cwd=tmp_path,
    )

    assert "ValueError: late" in done.stderr


def test_a_stuck_sink_does_not_keep_the_process_from_ending(tmp_path):
    done = run(
        """
        import threading
        from unlost.observe.sinks import Sinks

        class Stuck:
            waits = True
            def emit(self, report):
                threading.Event().wait()
            def close(self): ...

        Sinks([Stuck()], grace=0.3)(ValueError("no"), "failed")
        """,
        cwd=tmp_path,
    )

    assert done.returncode == 0
    assert "were not done within 0.3 s" in done.stderr


FORKING = """
    import os, sys, time
    from unlost.observe.sinks import JsonLines, Sinks
    from unlost.observe.watch import ErrorType, Finding, Verdict

    class Slow:
        waits = True
        def emit(self, report):
            os.write(1, f"{report.what} {report.repeats}\\n".encode())
        def close(self): ...

    sinks = Sinks([JsonLines("errors.jsonl"), Slow()])
    for _ in range(3):
        sinks(ValueError("before"), "before")
    sinks.found(Finding(Verdict.LOST, ErrorType("builtins", "ValueError"), "found", ()))
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            for _ in range(50):
                sinks(KeyError("x" * number), f"child {number}")
            sinks.found(Finding(Verdict.LOST, ErrorType("builtins", "ValueError"), "found", ()))
            sys.exit()
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    sinks(OSError("after"), "after")
"""


@forks
def test_forked_children_tell_what_is_theirs_and_nothing_twice(tmp_path):
    done = run(FORKING, cwd=tmp_path)

    told = Counter(done.stdout.splitlines())
    children = {f"child {number}" for number in range(4)}
    assert {what: told[f"{what} 0"] for what in children} == dict.fromkeys(children, 1)
    assert told["and more like it 49"] == 4
    assert (told["before 0"], told["and more like it 2"], told["after 0"]) == (1, 1, 1)
    assert told["lost: nobody ever took it 0"] == 5
    lines = [json.loads(line) for line in (tmp_path / "errors.jsonl").read_text("utf-8").splitlines()]
    assert Counter(f"{line['what']} {line.get('repeats', 0)}" for line in lines) == told
    assert len({line["process"] for line in lines}) == 5
    assert done.stderr == ""


@forks
def test_forking_is_not_warned_of_for_our_thread(tmp_path):
    done = run(FORKING, cwd=tmp_path, flags=["-W", "error::DeprecationWarning"])

    assert done.stderr == ""
    assert done.returncode == 0


@forks
def test_a_sink_may_fork(tmp_path):
    done = run(
        """
        import os
        from unlost.observe.sinks import Sinks

        class Forking:
            def emit(self, report):
                pid = os.fork()
                if pid == 0:
                    return
                os.waitpid(pid, 0)
                os.write(1, report.what.encode())
            def close(self): ...

        with Sinks([Forking()]) as sinks:
            sinks(ValueError(), "parent")
        """,
        cwd=tmp_path,
    )

    assert done.stdout == "parent"
    assert done.stderr == ""
