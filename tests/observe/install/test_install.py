from __future__ import annotations

from collections.abc import Callable

import pytest

from unlost.observe.install import install
from unlost.observe.watch import Finding, Notice

Ran = Callable[..., str]

LOSES = """
import asyncio, logging
from unlost.observe.install import install

async def boom():
    raise ValueError("it broke")

async def main():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    asyncio.create_task(boom())
    await asyncio.sleep(0.01)

INSTALL
asyncio.run(main())
"""


def test_what_is_lost_is_logged_once_with_its_counts_at_the_end(ran: Ran) -> None:
    told = ran(LOSES.replace("INSTALL", "install()"))

    assert told.count("lost: nobody ever took it") == 1
    assert "it broke" in told
    assert "what became of the exceptions: lost 1" in told


def test_a_program_that_loses_nothing_is_told_nothing(ran: Ran) -> None:
    told = ran("from unlost.observe.install import install\ninstall()\ntry: 1/0\nexcept ZeroDivisionError: pass\n")

    assert told == ""


def test_the_environment_turns_it_off(ran: Ran) -> None:
    told = ran(LOSES.replace("INSTALL", "assert install().mode == 'off'"), UNLOST="off")

    assert "unlost" not in told
    assert "what became" not in told


def test_sinks_that_are_named_are_told_in_place_of_the_logger(ran: Ran) -> None:
    told = ran(LOSES.replace("INSTALL", "install(sinks=['jsonl:found.jsonl'])"))

    assert "nobody ever took it" not in told


def test_a_block_ends_it_and_what_is_held_by_then_is_undelivered(ran: Ran) -> None:
    told = ran(
        LOSES.replace("asyncio.run(main())", "").replace("INSTALL", "")
        + "async def hold():\n    task = asyncio.create_task(boom())\n    await asyncio.wait([task])\n    return task\n"
        "with install() as watching:\n    held = asyncio.run(hold())\n"
        "assert watching.collector.counts[type(watching.collector.findings[0].verdict).UNDELIVERED] == 1\n"
        "watching.uninstall()\n"
    )

    assert "undelivered" in told


def test_a_second_one_shares_the_watching_until_both_have_ended() -> None:
    heard: list[Finding | Notice] = []
    with install(report=lambda found: bool(heard.append(found))) as outer:
        with install() as inner:
            shared = inner.collector is outer.collector
        inner.uninstall()
        with install() as again:
            still = again.collector is outer.collector
    with install() as fresh:
        anew = fresh.collector is not outer.collector

    assert shared
    assert still
    assert anew


def test_a_sink_that_does_not_exist_leaves_nothing_installed() -> None:
    with pytest.raises(Exception, match="no sink 'nowhere'"):
        install(sinks=["nowhere"])

    with install() as watching:
        assert watching.mode != "off"
