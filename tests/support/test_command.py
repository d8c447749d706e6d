"""The command line can be put on another loop."""

import pytest

from support.command import CommandLine
from support.loops import REAL

JOB = """
import asyncio


async def which(item):
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]
"""


@pytest.fixture
def unlost(tmp_path):
    command = CommandLine(tmp_path)
    command.write("jobs.py", JOB)
    command.write_inputs(1)
    return command


def loop_of(unlost):
    unlost("run", "jobs:which", "in.jsonl", "--out", "results.jsonl")
    return unlost.results()[0]["value"]


def test_commands_run_on_asyncio(unlost):
    assert loop_of(unlost) == "asyncio"


@pytest.mark.skipif("uvloop" not in REAL, reason="there is no uvloop here")
def test_commands_run_on_uvloop_where_that_is_asked_for(unlost):
    unlost.use_uvloop()

    assert loop_of(unlost) == "uvloop"
