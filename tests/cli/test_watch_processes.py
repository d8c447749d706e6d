"""What a watched program starts, and of which nothing is heard, is told with what could not be seen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.command import CommandLine

STARTS = """
import multiprocessing, subprocess, sys

def job(): pass

if __name__ == "__main__":
    for how in {}:
        process = multiprocessing.get_context(how).Process(target=job)
        process.start()
        process.join()
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_processes_are_counted_by_how_they_were_started(unlost: CommandLine) -> None:
    unlost.write("app.py", STARTS.format("('spawn', 'forkserver', 'fork', 'fork')"))

    told = unlost("watch", "app.py").stderr

    assert "Processes that multiprocessing spawned: 2. They are not watched" in told
    assert "Processes that were forked: 2. Each tells by itself what it loses" in told
    assert "started by subprocess" not in told


def test_python_programs_are_counted_and_others_are_not(unlost: CommandLine) -> None:
    unlost.write(
        "app.py",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])\nsubprocess.run(['true'])\n",
    )

    told = unlost("watch", "app.py").stderr

    assert "Python programs that were started by subprocess: 1. They are not watched from here" in told


def test_where_none_is_started_nothing_is_said_of_that(unlost: CommandLine) -> None:
    unlost.write("app.py", "print('done')\n")

    assert "Processes" not in unlost("watch", "app.py").stderr
