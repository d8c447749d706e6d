"""A session of tests within a test, in the same process: a plugin's own tests run such."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

NESTS = """
pytest_plugins = ["pytester"]
import asyncio, multiprocessing, os, pytest

INNER = '''
import asyncio
async def boom():
    raise ValueError("inner broke")
async def lose():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)
def test_inner():
    asyncio.run(lose())
'''

async def boom():
    raise ValueError("outer broke")

async def lose():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)

def nests(pytester):
    pytester.makepyfile(test_inner=INNER)
    pytester.runpytest_inprocess("--unlost", "-p", "no:asyncio").assert_outcomes(failed=1)

"""


def test_what_a_session_within_a_test_finds_is_its_own(tested: Tested) -> None:
    done = tested(NESTS + "def test_it(pytester): nests(pytester)\n", "--unlost", "-W", "ignore")

    assert "1 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("next_test", ["", "def test_next(pytester):\n"], ids=["in that test", "in the next"])
def test_what_is_lost_after_it_is_the_outer_ones(tested: Tested, next_test: str) -> None:
    source = f"{NESTS}def test_it(pytester):\n    nests(pytester)\n{next_test}    asyncio.run(lose())\n"

    done = tested(source, "--unlost", "-W", "ignore")

    assert "1 failed" in done.stdout
    assert "unlost: lost: ValueError: outer broke" in done.stdout


def test_what_is_found_around_tasks_after_it_is_the_outer_ones(tested: Tested) -> None:
    source = NESTS + "def test_it(pytester):\n    nests(pytester)\n    boom()\n"

    done = tested(source, "--unlost", "-W", "ignore")

    assert "1 failed" in done.stdout
    assert "unlost: never awaited" in done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_of_processes_that_are_started_after_it_the_outer_one_hears(tested: Tested) -> None:
    source = NESTS + (
        "def loses():\n    asyncio.run(lose())\n"
        "def test_it(pytester):\n    nests(pytester)\n"
        "    process = multiprocessing.get_context('fork').Process(target=loses)\n"
        "    process.start()\n    process.join()\n"
    )

    done = tested(source, "--unlost", "-W", "ignore")

    assert "1 failed" in done.stdout
    assert "during        a process that the test started" in done.stdout


def test_where_the_watching_goes_on_a_future_that_cannot_be_looked_at_is_counted(tested: Tested) -> None:
    odd = (
        "import asyncio\nkept = []\nclass Odd(asyncio.Future):\n    @property\n    def _exception(self): 1 / 0\n"
        "async def boom(): raise ValueError('late')\n"
        "async def keep():\n    kept.extend([Odd(), asyncio.create_task(boom())])\n    await asyncio.sleep(0.01)\n"
        "def test_inner(): asyncio.run(keep())\n"
    )
    source = NESTS + (
        f"def test_it(pytester):\n    pytester.makepyfile(test_inner={odd!r})\n"
        "    pytester.runpytest_inprocess('--unlost', '-p', 'no:asyncio')\n"
    )

    done = tested(source, "--unlost=report", "-s", "-W", "ignore")

    inner, _, _ = done.stdout.partition("1 passed")
    assert "undelivered: ValueError: late" in inner
    assert "The watching itself failed 1×: ZeroDivisionError" in inner
