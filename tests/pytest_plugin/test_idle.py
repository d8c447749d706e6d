"""Marks that forgave nothing are named at the end, and fail nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from _unlost_pytest._idle import Idle

Tested = Callable[..., "subprocess.CompletedProcess[str]"]

MARKED = """
import asyncio, pytest

async def boom():
    raise ValueError("it broke")

async def lose():
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)

"""
FORGIVES = '@pytest.mark.unlost_forgive("the mirror", WHAT)\n'
NOT_MET = "  not met: test_it.py::test_it unlost_forgive('the mirror', 'broke')\n"


def ran(tested: Tested, source: str, *arguments: str) -> str:
    """Return all that is said of tests with a mark."""
    return tested(MARKED + source.replace("MARK", FORGIVES.replace("WHAT", "'broke'")), "--unlost", *arguments).stdout


def test_a_mark_that_had_nothing_to_forgive_in_a_test_that_passed_is_named(tested: Tested) -> None:
    said = ran(tested, "MARKasync def test_it(): pass\n")

    assert "1 mark forgave nothing in these tests, which passed\n" + NOT_MET in said
    assert "1 passed" in said


@pytest.mark.parametrize(
    "source",
    [
        "MARKasync def test_it(): await lose()\n",
        "MARKasync def test_it(): assert 0\n",
        "MARKasync def test_it(): pytest.skip('not here')\n",
        "MARK@pytest.mark.xfail\nasync def test_it(): assert 0\n",
        "MARKasync def test_it(kept=[]):\n    kept.append(asyncio.create_task(boom()))\n    await asyncio.sleep(0)\n",
        "@pytest.fixture\ndef fails(): assert 0\nMARKasync def test_it(fails): pass\n",
    ],
    ids=["forgives", "fails", "skips", "expected", "forgives late", "fixture"],
)
def test_one_that_forgives_or_whose_test_does_not_pass_is_not_named(tested: Tested, source: str) -> None:
    assert "forgave nothing" not in ran(tested, source)


@pytest.mark.parametrize("how", [[], ["-n", "2"]], ids=["alone", "xdist"])
@pytest.mark.parametrize(
    "source",
    [
        "MARK@pytest.mark.parametrize('nth', range(4))\nasync def test_it(nth):\n    if nth == 2: await lose()\n",
        "MARKclass TestAll:\n    async def test_it(self): await lose()\n    async def test_right(self): pass\n",
    ],
    ids=["parameters", "class"],
)
def test_a_mark_of_many_tests_forgives_if_it_does_in_one(tested: Tested, source: str, how: list[str]) -> None:
    said = ran(tested, source, *how)

    assert "1 forgiven by marks" in said
    assert "forgave nothing" not in said


def test_under_xdist_a_mark_is_named_once(tested: Tested) -> None:
    said = ran(tested, "MARK@pytest.mark.parametrize('number', range(4))\nasync def test_it(number): pass\n", "-n", "2")

    assert "1 mark forgave nothing" in said
    assert said.count(NOT_MET) == 1


def test_more_than_are_worth_naming_are_counted() -> None:
    idle = Idle()
    idle.ended([f"test_{number}" for number in range(8)], passed=True)

    first, *named, last = idle.lines()

    assert (first, last) == ("8 marks forgave nothing in these tests, which passed", "  and 3 more")
    assert named == [f"  not met: test_{number}" for number in range(5)]
