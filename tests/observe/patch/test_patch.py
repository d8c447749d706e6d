"""Putting it on and taking it away, beside other libraries that do such things."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from unlost.errors import attached
from unlost.observe.patch import _patch, patch_asyncio

from .conftest import Boom, fail

NAMES = ("gather", "as_completed", "shield", "wait_for", "to_thread", "create_task")
HOLDERS = (asyncio, asyncio.tasks, asyncio.futures, asyncio.tasks._GatheringFuture, Future)


def state() -> list[object]:
    """Everything that could be changed."""
    codes = [getattr(asyncio, name).__code__ for name in NAMES]
    return [*codes, *(dict(vars(holder)) for holder in HOLDERS)]


def look(name: str) -> list[object]:
    """What a program can see of a function."""
    function = getattr(asyncio, name)
    return [
        function,
        function.__name__,
        function.__qualname__,
        function.__module__,
        function.__doc__,
        inspect.signature(function),
        inspect.iscoroutinefunction(function),
    ]


def test_undoing_leaves_asyncio_as_it_was() -> None:
    before = state()
    patch = patch_asyncio()
    assert state() != before

    patch.undo()

    assert state() == before


@pytest.mark.parametrize("name", NAMES)
def test_a_function_looks_as_it_did(name: str) -> None:
    before = look(name)
    patch = patch_asyncio()
    during = look(name)
    patch.undo()

    assert during == before


def test_it_stays_until_all_who_have_put_it_on_have_undone_it() -> None:
    before = state()
    first = patch_asyncio()
    during = state()
    second = patch_asyncio()

    assert state() == during
    first.undo()
    first.undo()
    assert state() == during
    second.undo()
    assert state() == before


async def test_a_call_that_began_before_it_was_undone_ends_well() -> None:
    patch = patch_asyncio()
    waiting = asyncio.create_task(asyncio.wait_for(asyncio.shield(fail("error", 0.5)), 10))
    gathering = asyncio.gather(fail("first", 0.5), fail("second", 0.5))
    await asyncio.sleep(0.1)
    patch.undo()

    with pytest.raises(Boom, match="error"):
        await waiting
    with pytest.raises(Boom, match="first") as caught:
        await gathering
    assert attached(caught.value) == ()


async def test_what_another_has_wrapped_meanwhile_stays_and_ours_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    patch = patch_asyncio()
    future = asyncio.tasks._GatheringFuture
    ours = future.set_exception
    calls = []

    def wrapped(self: object, exception: object) -> None:
        calls.append(exception)
        ours(self, exception)

    monkeypatch.setattr(future, "set_exception", wrapped)
    patch.undo()

    with pytest.raises(Boom) as caught:
        await asyncio.gather(fail("first"), fail("second"))
    assert calls == [caught.value]
    assert attached(caught.value) == ()


def test_a_function_that_another_has_replaced_is_missed_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait_for(fut: object, timeout: object) -> None: ...

    monkeypatch.setattr(asyncio.tasks, "wait_for", wait_for)
    patch = patch_asyncio()
    patch.undo()

    assert list(patch.missed) == ["wait_for"]
    assert "not a function of asyncio.tasks" in patch.missed["wait_for"]


async def test_a_fault_of_ours_is_counted_and_does_not_come_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlost.observe.patch._gathered.error_of", lambda _child: 1 / 0)
    patch = patch_asyncio()
    try:
        with pytest.raises(Boom, match="first"):
            await asyncio.gather(fail("first"), fail("second"))
    finally:
        patch.undo()

    assert (patch.kept.faults, patch.kept.last_fault) == (1, "ZeroDivisionError: division by zero")


_PROGRAM = """
import asyncio
from unlost.observe.patch import _patch, patch_asyncio
from unlost.errors import attached
{before}
patch = patch_asyncio()
{after}
async def fail(text):
    await asyncio.sleep(0)
    raise ValueError(text)
async def main():
    {inside}
    try:
        await asyncio.wait_for(asyncio.gather(fail("first"), fail("second")), 5)
    except ValueError as error:
        print(error, *attached(error))
    print(await asyncio.shield(asyncio.to_thread(lambda: "thread")))
asyncio.run(main())
patch.undo()
print(patch.kept.faults, patch.missed)
"""
_NEST = "import nest_asyncio2; nest_asyncio2.apply()"
_SENTRY = (
    "import sentry_sdk; from sentry_sdk.integrations.asyncio import AsyncioIntegration; "
    "sentry_sdk.init(dsn='http://k@127.0.0.1:9/1', transport=lambda e: None, integrations=[AsyncioIntegration()])"
)
_UVLOOP = "import uvloop; asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())"


@pytest.mark.parametrize(
    ("before", "after", "inside"),
    [
        (_NEST, "", ""),
        ("", _NEST, ""),
        ("", "", _SENTRY),
        pytest.param("", _UVLOOP, "", marks=pytest.mark.skipif(sys.platform == "win32", reason="no uvloop")),
    ],
    ids=["nested before", "nested after", "sentry", "uvloop"],
)
def test_another_library_is_not_broken_nor_breaks_it(before: str, after: str, inside: str, tmp_path: Path) -> None:
    program = _PROGRAM.format(before=before, after=after, inside=inside or "pass")

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )

    assert done.stdout.splitlines() == ["first second", "thread", "0 {}"], done.stderr


def test_it_may_be_undone_by_what_interrupts_putting_it_on() -> None:
    before = state()
    patch = patch_asyncio()

    def interrupted() -> None:
        with _patch._lock:
            patch.undo()

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(10)

    assert not thread.is_alive()
    assert state() == before
