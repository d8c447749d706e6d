"""``shield``, ``wait_for``, ``as_completed``, ``create_task``, ``to_thread``."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import traceback
from asyncio import CancelledError, as_completed, create_task, shield, to_thread, wait_for  # before anything is patched
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from unlost.errors import attached
from unlost.observe.patch import Patch

from .conftest import Boom, Told, fail, fail_when_stopped, texts


async def test_a_shielded_error_that_comes_in_the_moment_of_the_cancellation_is_told(told: Told) -> None:
    told.listen()
    inner = asyncio.get_running_loop().create_future()
    outer = shield(inner)
    inner.set_exception(Boom("shielded"))
    outer.cancel()
    await asyncio.sleep(0)
    del inner, outer

    assert await told.all() == ["shielded"]


async def test_a_shielded_error_that_comes_later_is_told_once(told: Told) -> None:
    told.listen()
    with pytest.raises(TimeoutError):
        await wait_for(shield(create_task(fail("shielded", 0.5))), 0.1)

    assert await told.all() == ["shielded"]


async def test_a_shielded_error_that_the_program_asks_for_is_not_told_of(told: Told) -> None:
    told.listen()
    inner = asyncio.get_running_loop().create_future()
    outer = shield(inner)
    inner.set_exception(Boom("shielded"))
    outer.cancel()
    await asyncio.sleep(0)

    with pytest.raises(Boom):
        await inner
    del inner, outer
    assert await told.all() == []


async def test_a_shield_keeps_nothing_on_what_it_shields_when_its_caller_is_gone(told: Told) -> None:
    inner = asyncio.get_running_loop().create_future()
    outer = shield(inner)
    outer.cancel()
    await asyncio.sleep(0)

    assert not inner._callbacks
    inner.cancel()


async def test_a_shield_hands_over_values_errors_and_cancellations(told: Told) -> None:
    cancelled = create_task(asyncio.sleep(30))
    asyncio.get_running_loop().call_later(0.1, cancelled.cancel)

    assert await shield(asyncio.sleep(0.1, "value")) == "value"
    with pytest.raises(Boom):
        await shield(fail("error", 0.1))
    with pytest.raises(CancelledError):
        await shield(cancelled)
    assert await told.all() == []


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before, the error comes out and the cancellation is dropped")
async def test_an_error_that_came_in_the_moment_in_which_wait_for_was_left_is_attached_and_reported(told: Told) -> None:
    awaited = asyncio.get_running_loop().create_future()
    caller = create_task(wait_for(awaited, 10))
    await asyncio.sleep(0.1)
    awaited.set_exception(Boom("in that moment"))
    caller.cancel()
    with pytest.raises(CancelledError) as caught:
        await caller

    assert texts(attached(caught.value)) == ["in that moment"]
    del caught, caller
    assert await told.all() == ["in that moment"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before, the error comes out")
async def test_an_error_that_came_in_the_moment_in_which_the_time_ran_out_is_attached_to_the_timeout(
    told: Told,
) -> None:
    loop = asyncio.get_running_loop()
    awaited = loop.create_future()

    def fail_in_the_tick_of_the_timeout() -> None:
        awaited.set_exception(Boom("in that moment"))

    loop.call_later(0.1, fail_in_the_tick_of_the_timeout)
    with pytest.raises(TimeoutError) as caught:
        await wait_for(awaited, 0.1)

    assert texts(attached(caught.value)) == ["in that moment"]
    assert await told.all() == []


async def test_what_cleanup_raises_when_the_time_runs_out_comes_out_as_before(told: Told) -> None:
    with pytest.raises(Boom, match="cleanup") as caught:
        await wait_for(fail_when_stopped("cleanup"), 0.1)

    assert attached(caught.value) == ()
    assert await told.all() == []


async def test_what_cleanup_raises_when_the_caller_is_cancelled_is_told_once(told: Told) -> None:
    told.listen()
    caller = create_task(wait_for(create_task(fail_when_stopped("cleanup")), 10))
    await asyncio.sleep(0.1)
    caller.cancel()
    with pytest.raises((CancelledError, Boom)) as caught:  # from 3.12 on it comes out
        await caller
    raised = [str(caught.value)] if isinstance(caught.value, Boom) else []
    del caught, caller

    assert raised + await told.all() == ["cleanup"]


async def test_the_traceback_through_wait_for_is_the_one_that_there_was(told: Told, patch: Patch) -> None:
    async def functions() -> list[str]:
        try:
            await wait_for(fail("error"), 10)
        except Boom as error:
            return [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        return []

    patched = await functions()
    patch.undo()

    assert patched == await functions()


async def test_as_completed_left_early_drops_nothing(told: Told) -> None:
    told.listen()
    for next_done in as_completed([asyncio.sleep(0, "value"), fail("later", 0.5)]):
        assert await next_done == "value"
        break

    assert await told.all() == ["later"]


async def test_a_task_that_nobody_asks_is_told_of_once(told: Told) -> None:
    told.listen()
    create_task(fail("background"))  # noqa: RUF006  # that is the claim

    assert await told.all() == ["background"]


@pytest.mark.stock
async def test_an_error_of_a_thread_whose_caller_is_gone_is_reported(told: Told) -> None:
    def fail_later() -> None:
        time.sleep(0.2)
        raise Boom("thread")

    with pytest.raises(TimeoutError):
        await wait_for(to_thread(fail_later), 0.05)

    assert await told.all() == ["thread"]


@pytest.mark.stock
async def test_an_error_of_a_thread_whose_caller_waits_is_raised_and_nothing_more(told: Told) -> None:
    def fail_now() -> None:
        raise Boom("thread")

    with pytest.raises(Boom):
        await to_thread(fail_now)

    assert told.by_us + told.by_asyncio == []


@pytest.mark.stock
async def test_a_threads_future_that_the_program_has_is_not_told_of_if_it_asks(told: Told) -> None:
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()
    awaited = asyncio.wrap_future(future)
    awaited.cancel()
    await asyncio.sleep(0)
    future.set_exception(Boom("thread"))
    await asyncio.sleep(0)

    assert isinstance(future.exception(), Boom)
    del future, awaited
    assert await told.all() == []


def test_an_error_of_a_thread_that_outlives_its_loop_is_reported(told: Told) -> None:
    may_fail = Event()

    def fail_later() -> None:
        may_fail.wait(10)
        raise Boom("thread")

    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as executor:
        loop.run_in_executor(executor, fail_later)
        loop.close()
        may_fail.set()
    gc.collect()

    assert told.by_us == ["thread"]
