"""What a call held is freed when it is over, without the cyclic collector."""

import asyncio
import gc
import weakref

import pytest

from unlost._core import TaskGroup, as_completed, gather, map, race, settle, stream  # noqa: A004


class Local:
    """Lives in a frame, and tells when the frame is gone."""

    alive: weakref.WeakSet

    def __init__(self):
        Local.alive.add(self)


@pytest.fixture(autouse=True)
def without_collector():
    Local.alive = weakref.WeakSet()
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class comes_out:  # noqa: N801  # reads like pytest.raises
    """Expect an exception and let it go: ``pytest.raises`` would hold it, a generator's frames, too (from 3.12 on)."""

    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        return None

    def __exit__(self, kind, error, traceback):
        assert kind is not None
        return issubclass(kind, self.kind)


async def job(item):
    local = Local()
    await asyncio.sleep(item)
    if item % 2:
        raise ValueError(item, local)
    return local


def broken_input():
    local = Local()
    yield 0
    yield 1
    raise OSError(local)


async def broken_async_input():
    local = Local()
    yield 0
    yield 1
    raise OSError(local)


async def all_is_freed():
    for _ in range(5):
        await asyncio.sleep(0)
    return not Local.alive


async def test_after_map():
    outcomes = await map(job, range(5), limit=2)
    assert len(Local.alive) == 5
    del outcomes

    assert await all_is_freed()


async def test_after_the_group_of_values():
    with comes_out(ExceptionGroup):
        (await map(job, range(5), limit=2)).values()

    assert await all_is_freed()


async def test_after_unwrapping():
    for outcome in await map(job, [1, 3], limit=2):
        with comes_out(ValueError):
            outcome.unwrap()
    del outcome

    assert await all_is_freed()


@pytest.mark.parametrize("source", [broken_input, broken_async_input])
async def test_after_an_error_of_the_input(source):
    with comes_out(OSError):
        await map(job, source(), limit=2)

    assert await all_is_freed()


@pytest.mark.parametrize("source", [broken_input, broken_async_input])
async def test_after_an_error_of_the_input_of_a_stream(source):
    with comes_out(OSError):
        async with stream(job, source(), limit=2):
            await asyncio.sleep(5)

    assert await all_is_freed()


async def test_after_a_stopping_exception():
    async def stop(item):
        local = Local()
        if item == 1:
            raise SystemExit(local)
        await asyncio.sleep(10)

    with comes_out(SystemExit):
        await map(stop, range(5), limit=2)

    assert await all_is_freed()


async def test_after_the_callers_cancellation():
    async def caller():
        with comes_out(asyncio.CancelledError):
            await map(job, [0, 1, 1000], limit=3)

    calling = asyncio.create_task(caller())
    await asyncio.sleep(5)
    calling.cancel()
    await calling
    del calling

    assert await all_is_freed()


async def test_after_the_callers_cancellation_of_settle():
    calling = asyncio.create_task(settle(job(0), job(1), job(1000)))
    await asyncio.sleep(5)
    calling.cancel()
    with comes_out(asyncio.CancelledError):
        await calling
    del calling

    assert await all_is_freed()


async def test_after_a_cancellation_while_a_stream_is_left():
    async def slow_to_end(item):
        local = Local()
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(local is not None and 1000)

    async def caller():
        async with stream(slow_to_end, [1], limit=1):
            await asyncio.sleep(1)

    calling = asyncio.create_task(caller())
    await asyncio.sleep(5)
    calling.cancel()
    with comes_out(asyncio.CancelledError):
        await calling
    del calling

    assert await all_is_freed()


async def test_after_a_stream_that_was_left_with_failures():
    with comes_out(ExceptionGroup):
        async with stream(job, [0, 1, 3, 1000], limit=4) as outcomes:
            await asyncio.sleep(5)
    del outcomes

    assert await all_is_freed()


async def test_after_a_stream_that_an_error_left():
    with comes_out(KeyError):
        async with stream(job, [0, 1, 3, 1000], limit=4) as outcomes:
            await asyncio.sleep(5)
            raise KeyError
    del outcomes

    assert await all_is_freed()


async def test_after_settle():
    outcomes = await settle(job(0), job(1))
    del outcomes

    assert await all_is_freed()


async def test_a_stream_keeps_nothing_of_what_was_handed_over():
    async def source():
        for item in [0, 1, 0, 1]:
            yield item
        await asyncio.sleep(1000)

    async with stream(job, source(), limit=2) as outcomes:
        for _ in range(4):
            outcome = await anext(outcomes)
        assert outcome.duration >= 0
        del outcome
        await asyncio.sleep(5)

        assert not Local.alive


async def test_a_value_is_not_kept_by_a_worker_that_waits():
    async def source():
        yield 0
        await asyncio.sleep(10)

    async with stream(job, source(), limit=1) as outcomes:
        value = (await anext(outcomes)).value
        assert value in Local.alive
        del value

        assert await all_is_freed()


async def unready(item, *, task_status):
    local = Local()
    await asyncio.sleep(item)
    raise ValueError(local)


async def ready(item, *, task_status):
    local = Local()
    task_status.started(item)
    await asyncio.sleep(item)
    raise ValueError(local)


@pytest.mark.parametrize("child", [unready, ready])
async def test_after_a_child_that_was_started_with_a_handshake_failed(child):
    with comes_out(ExceptionGroup):
        async with TaskGroup() as group:
            await group.start(child, 1)

    del group
    assert await all_is_freed()


async def test_after_as_completed_was_left_without_iterating():
    with comes_out(ExceptionGroup):
        async with as_completed(job(1), job(2)):
            await asyncio.sleep(3)

    assert await all_is_freed()


async def test_after_a_gather_that_failed():
    with comes_out(ExceptionGroup):
        await gather(job(1), job(3), job(1000))

    assert await all_is_freed()


async def test_after_a_race_that_everybody_lost():
    with comes_out(ExceptionGroup):
        await race(job(1), job(3))

    assert await all_is_freed()
