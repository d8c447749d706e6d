"""``install(patch=True)``: what asyncio's functions keep is seen as what it came to, and callers see what they did."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
import time
from asyncio import (  # before anything is patched, as a program does
    CancelledError,
    as_completed,
    create_task,
    gather,
    shield,
    to_thread,
    wait_for,
)
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from unlost import install

from ..patch.conftest import Boom, fail


@dataclass(frozen=True)
class Program:
    """
    Attributes:
        main: Returns what its caller was given.
        here: What becomes of its errors, from 3.12 on. What was caught at once by who meant it is not counted.
        before: The same in boundary mode, where that says less.
    """

    main: Callable[[], Awaitable[str]]
    here: dict[str, int]
    before: dict[str, int]


def seen(error: BaseException) -> str:
    return f"{type(error).__name__} {error}"


async def gathered() -> str:
    try:
        await gather(fail("first"), fail("second"), fail("third"))
    except Boom as error:
        return seen(error)
    return ""


async def gathered_and_logged() -> str:
    try:
        await gather(fail("first"), fail("second"))
    except Boom as error:
        logging.getLogger("app").exception("failed")
        return seen(error)
    return ""


async def gathered_and_swallowed() -> str:
    try:
        await gather(fail("first"), fail("second"))
    except Exception:
        return "went on"
    return ""


async def gathered_late() -> str:
    try:
        await gather(fail("first"), fail("late", 0.02))
    except Boom as error:
        text = seen(error)
    await asyncio.sleep(0.05)
    gc.collect()
    return text


async def gathered_and_cancelled() -> str:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.02):
            await gather(fail("first"), asyncio.sleep(30), return_exceptions=True)
    await asyncio.sleep(0)
    gc.collect()
    return "in time"


async def shielded_in_that_moment() -> str:
    inner = asyncio.get_running_loop().create_future()
    outer = shield(inner)
    inner.set_exception(Boom("shielded"))
    outer.cancel()
    try:
        await outer
    except CancelledError as error:
        text = seen(error)
    del inner, outer
    gc.collect()
    return text


async def shielded_and_handled() -> str:
    try:
        await shield(create_task(fail("shielded")))
    except Boom as error:
        return seen(error)
    return ""


async def timed_in_that_moment() -> str:
    loop = asyncio.get_running_loop()
    awaited = loop.create_future()
    # the fuse and the error fall into one turn of the loop
    loop.call_later(0.1, lambda: (time.sleep(0.4), awaited.set_exception(Boom("in that moment"))))
    try:
        await wait_for(awaited, 0.2)
    except (TimeoutError, Boom) as error:
        return seen(error)
    return ""


async def timed_and_handled() -> str:
    try:
        await wait_for(fail("timed"), 1)
    except Boom as error:
        return seen(error)
    return ""


async def threaded_and_cancelled() -> str:
    def work() -> None:
        time.sleep(0.05)
        raise Boom("in a thread")

    try:
        await wait_for(to_thread(work), 0.01)
    except TimeoutError as error:
        text = seen(error)
    await asyncio.sleep(0.1)
    gc.collect()
    return text


async def threaded_and_handled() -> str:
    def work() -> None:
        raise Boom("in a thread")

    try:
        await to_thread(work)
    except Boom as error:
        return seen(error)
    return ""


async def completed_and_left() -> str:
    texts = []
    for next_one in as_completed([fail("first"), asyncio.sleep(0.01, "value")]):
        try:
            texts.append(str(await next_one))
        except Boom as error:
            texts.append(seen(error))
    return ", ".join(texts)


async def created_and_forgotten() -> str:
    create_task(fail("forgotten"))  # noqa: RUF006  # that is what it is about
    await asyncio.sleep(0.01)
    gc.collect()
    return "went on"


async def created_and_handled() -> str:
    try:
        await create_task(fail("awaited"))
    except Boom as error:
        return seen(error)
    return ""


PROGRAMS = [
    Program(gathered, {"handled": 3}, {"unknown": 3}),
    Program(gathered_and_logged, {"reported": 2}, {"reported": 2}),
    Program(gathered_and_swallowed, {"swallowed": 2}, {"unknown": 2}),
    Program(gathered_late, {"handled": 1, "reported": 1}, {"unknown": 1, "reported": 1}),
    Program(gathered_and_cancelled, {"reported": 1}, {"reported": 1}),
    Program(shielded_in_that_moment, {"reported": 1}, {"reported": 1}),
    Program(shielded_and_handled, {"handled": 1}, {"unknown": 1}),
    Program(timed_in_that_moment, {}, {}),
    Program(timed_and_handled, {}, {"unknown": 1}),
    Program(threaded_and_cancelled, {"reported": 1}, {"reported": 1}),
    Program(threaded_and_handled, {"handled": 1}, {"unknown": 1}),
    Program(completed_and_left, {"handled": 1}, {"unknown": 1}),
    Program(created_and_forgotten, {"lost": 1}, {"lost": 1}),
    Program(created_and_handled, {"handled": 1}, {"unknown": 1}),
]


class Silent:
    """A sink that hears all and says nothing."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def emit(self, report: Any) -> None:
        self.heard.append(report)

    def close(self) -> None:
        """Have nothing to close."""


def run(main: Callable[[], Awaitable[str]], kind: str) -> str:
    async def whole() -> str:
        return await main()

    if kind == "uvloop":
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(whole())
    return asyncio.run(whole())


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.main.__name__)
def test_what_is_kept_is_seen_as_what_it_came_to_and_callers_see_the_same(program: Program, kind: str) -> None:
    stock = run(program.main, kind)
    gc.collect()
    with install(sinks=[Silent()], patch=True) as watching:
        patched = run(program.main, kind)
        gc.collect()
    collector = watching.collector

    assert patched == stock
    assert collector.faults == Counter()
    expected = program.here if watching.mode == "monitoring" else program.before
    assert {verdict.value: count for verdict, count in collector.counts.items() if count} == expected


@pytest.mark.skipif(sys.version_info < (3, 12), reason="what is dropped is known from 3.12 on, for each of them")
def test_without_the_patch_what_gather_drops_is_absorbed() -> None:
    with install(sinks=[Silent()]) as watching:
        run(gathered, "asyncio")
        gc.collect()

    assert {verdict.value: count for verdict, count in watching.collector.counts.items()} == {
        "handled": 1,
        "absorbed": 2,
    }
