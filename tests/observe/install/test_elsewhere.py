"""What a program starts that calls ``install`` itself, and of which nothing is heard, is told at the end."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Ran = Callable[..., str]

STARTS = """
import logging, multiprocessing, subprocess, sys
import unlost

def job(): pass

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    unlost.install()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_processes_are_counted_by_how_they_were_started(ran: Ran) -> None:
    source = STARTS + (
        "    for how in ('spawn', 'forkserver', 'fork', 'fork'):\n"
        "        process = multiprocessing.get_context(how).Process(target=job)\n"
        "        process.start()\n        process.join()\n"
    )

    told = ran(source)

    assert "Processes that multiprocessing spawned: 2. They are not watched" in told
    assert "Processes that were forked: 2. Each tells by itself what it loses" in told
    assert "started by subprocess" not in told


def test_python_programs_are_counted_and_others_are_not(ran: Ran) -> None:
    source = STARTS + "    subprocess.run([sys.executable, '-c', ''])\n    subprocess.run(['true'])\n"

    told = ran(source)

    assert "Python programs that were started by subprocess: 1. They are not watched from here" in told
    assert "Processes" not in told
