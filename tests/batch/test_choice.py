"""One process at a time chooses a run in a folder."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

from support.command import LOGGING_JOB, CommandLine, logged
from unlost.batch import _choice
from unlost.batch._choice import Choice
from unlost.batch._lock import Locked

pytestmark = pytest.mark.stock


def test_the_second_waits_until_the_first_has_chosen(tmp_path: Path) -> None:
    first = Choice(tmp_path)
    order = []

    def choose() -> None:
        second = Choice(tmp_path)
        order.append("second")
        second.release()

    thread = threading.Thread(target=choose)
    thread.start()
    order.append("first")
    first.release()
    thread.join()

    assert order == ["first", "second"]


def test_patience_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_choice, "PATIENCE", 0.0)
    first = Choice(tmp_path)

    with pytest.raises(Locked, match="another process has been opening a run"):
        Choice(tmp_path)
    first.release()


def test_what_is_dropped_keeps_nobody_waiting(tmp_path: Path) -> None:
    dropped = Choice(tmp_path)
    del dropped
    gc.collect()

    Choice(tmp_path).release()


@pytest.mark.timeout(120)
def test_the_same_command_started_many_times_at_once_is_one_run(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", LOGGING_JOB.replace("random.uniform(0.001, 0.03)", "1.5"))
    unlost.write_inputs(40)

    processes = [unlost.start("run", "jobs:work", "in.jsonl", "--out", "results.jsonl") for _ in range(6)]
    codes = [process.wait(timeout=60) for process in processes]
    told = [process.communicate() for process in processes]

    assert sorted(codes) == [1, 2, 2, 2, 2, 2]
    assert sum("is being written by process" in err for _out, err in told) == 5
    assert sorted(logged(tmp_path, "start")) == list(range(40))
    assert [entry["run"] for entry in unlost.json("runs")] == ["work-1"]
