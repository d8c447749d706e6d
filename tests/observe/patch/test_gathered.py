"""``asyncio.gather``, which hands over the first error and drops the rest."""

from __future__ import annotations

import asyncio
import gc
import sys
from asyncio import CancelledError, gather  # before anything is patched, as a program does
from weakref import ref

import pytest

from unlost.errors import attached

from .conftest import Boom, Told, fail, fail_when_stopped, texts


async def test_what_had_failed_by_then_is_attached_to_the_error_that_comes_out(told: Told) -> None:
    with pytest.raises(Boom) as caught:
        await gather(fail("first"), fail("second"), fail("third"))

    assert str(caught.value) == "first"
    assert texts(attached(caught.value)) == ["second", "third"]
    assert caught.value.__context__ is None
    assert await told.all() == []


async def test_an_operation_that_runs_on_and_fails_is_told_by_asyncio(told: Told) -> None:
    told.listen()
    with pytest.raises(Boom, match="first"):
        await gather(fail("first"), fail("later", 0.5))

    assert await told.all() == ["later"]
    assert told.by_us == []


async def test_one_that_runs_on_and_is_asked_by_the_program_is_not_told_of(told: Told) -> None:
    told.listen()
    later = asyncio.create_task(fail("later", 0.5))
    with pytest.raises(Boom, match="first"):
        await gather(fail("first"), later)

    with pytest.raises(Boom, match="later"):
        await later
    del later
    assert await told.all() == []


async def test_one_that_runs_on_keeps_its_siblings_alive_as_it_did(told: Told) -> None:
    ended: list[str] = []

    async def wait_for_nobody() -> None:
        try:
            await asyncio.Future()
        finally:
            ended.append("destroyed")

    with pytest.raises(Boom):
        await gather(fail("first"), asyncio.sleep(2), wait_for_nobody())

    assert await told.all() == []
    assert ended == []


@pytest.mark.parametrize("return_exceptions", [False, True])
async def test_what_fails_because_the_caller_is_cancelled_is_not_dropped(told: Told, return_exceptions: bool) -> None:
    async def call() -> None:
        await gather(fail_when_stopped("first"), fail_when_stopped("second"), return_exceptions=return_exceptions)

    caller = asyncio.create_task(call())
    await asyncio.sleep(0.1)
    caller.cancel()
    with pytest.raises(CancelledError if return_exceptions else Boom) as caught:
        await caller
    with_it = texts(attached(caught.value))
    del caught, caller

    assert with_it == (["first", "second"] if return_exceptions else ["second"])
    assert sorted(await told.all()) == (["first", "second"] if return_exceptions else [])


async def test_what_a_cancellation_carries_is_reported_once_that_is_dropped_and_not_before(told: Told) -> None:
    caught: list[BaseException] = []
    try:
        async with asyncio.timeout(0.1):
            await gather(fail("first"), asyncio.sleep(30), fail("second"), return_exceptions=True)
    except TimeoutError as error:
        caught.append(error)

    cause = caught[0].__cause__
    assert cause is not None
    assert texts(attached(cause)) == ["first", "second"]
    assert await told.all() == []
    del cause
    caught.clear()
    assert await told.all() == ["first", "second"]


async def test_one_error_of_two_operations_is_not_attached_to_itself(told: Told) -> None:
    error = Boom("the same")

    async def raise_it() -> None:
        raise error

    with pytest.raises(Boom) as caught:
        await gather(raise_it(), raise_it())

    assert caught.value is error
    assert attached(error) == ()
    assert await told.all() == []


async def test_an_operation_that_was_cancelled_is_no_failure(told: Told) -> None:
    loop = asyncio.get_running_loop()
    failed, cancelled = loop.create_future(), loop.create_future()
    failed.set_exception(Boom("first"))
    cancelled.set_exception(CancelledError())  # what a gather inside of another ends with
    with pytest.raises(Boom) as caught:
        await gather(failed, cancelled)

    assert attached(caught.value) == ()


async def test_an_error_that_was_raised_from_the_first_one_makes_no_cycle(told: Told) -> None:
    first = asyncio.create_task(fail("first"))

    async def convert() -> None:
        try:
            await first
        except Boom as error:
            raise Boom("second") from error

    second = asyncio.create_task(convert())
    await asyncio.sleep(0)  # it awaits the first one before gather does
    with pytest.raises(Boom, match="first") as caught:
        await gather(first, second)

    assert attached(caught.value) == ()
    del caught
    assert await told.all() == ["second"]


async def test_values_and_returned_exceptions_are_what_they_were(told: Told) -> None:
    values = await gather(asyncio.sleep(0, "value"), fail("returned"), return_exceptions=True)

    assert [str(value) for value in values] == ["value", "returned"]
    assert await told.all() == []


async def test_what_is_returned_is_what_it_was_before(told: Told) -> None:
    future = gather(asyncio.sleep(0))

    assert type(future).__name__ == "_GatheringFuture"
    assert await future == [None]
    assert await told.all() == []


async def test_a_gather_inside_of_another_hands_over_all(told: Told) -> None:
    told.listen()
    with pytest.raises(Boom) as caught:
        await gather(gather(fail("a"), fail("b")), fail("c", 0.5))

    assert str(caught.value) == "a"
    assert texts(attached(caught.value)) == ["b"]
    assert await told.all() == ["c"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no eager tasks")
async def test_eager_operations_that_fail_at_once_are_attached_too(told: Told) -> None:
    async def fail_at_once(text: str) -> None:
        raise Boom(text)

    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    with pytest.raises(Boom, match="first") as caught:
        await gather(fail_at_once("first"), fail_at_once("second"))

    assert texts(attached(caught.value)) == ["second"]


async def test_what_was_kept_is_gone_with_the_error_without_the_collector(told: Told) -> None:
    gone: list[ref[Boom]] = []

    async def call() -> None:
        try:
            await gather(fail("first"), fail("second"))
        except Boom as error:
            gone.append(ref(error))
            gone.extend(ref(one) for one in attached(error) if isinstance(one, Boom))

    await call()
    gc.disable()
    try:
        await call()
        await asyncio.sleep(0)

        assert len(gone) == 4
        assert [reference() for reference in gone[2:]] == [None, None]
    finally:
        gc.enable()
    assert await told.all() == []
