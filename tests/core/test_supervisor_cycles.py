"""What a supervisor held is freed when it is over, without the cyclic collector."""

import asyncio
import gc
import weakref

import pytest

from unlost._core._backoff import constant
from unlost._core._report import report_to
from unlost._core.supervision._supervisor import Supervisor
from unlost.errors import SupervisorGaveUp


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
    with report_to(lambda error, what: None):
        yield
    gc.enable()


class comes_out:  # noqa: N801  # reads like pytest.raises
    """Expect an exception and let it go: ``pytest.raises`` would hold it, and with it its frames."""

    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        return None

    def __exit__(self, kind, error, traceback):
        assert kind is not None
        return issubclass(kind, self.kind)


def supervisor(*args, **options):
    return Supervisor(*args, **{"backoff": constant(0), **options})


async def crash(after=1, kind=ValueError):
    local = Local()
    await asyncio.sleep(after)
    raise kind(local)


async def crash_with_handshake(task_status):
    local = Local()
    task_status.started()
    raise ValueError(local)


async def fails_to_stop():
    local = Local()
    try:
        await asyncio.sleep(1e6)
    finally:
        raise OSError(local)


async def stubborn():
    local = Local()
    try:
        await asyncio.sleep(1e6)
    finally:
        await asyncio.sleep(100)
        raise OSError(local)


async def all_is_freed():
    for _ in range(5):
        await asyncio.sleep(0)
    return not Local.alive


async def test_after_giving_up():
    async def supervise():
        local = Local()
        async with supervisor("one_for_all", intensity=2) as running:
            running.start_child(crash)
            running.start_child(crash_with_handshake, handshake=True)
            running.start_child(fails_to_stop)
            await asyncio.sleep(local is not None and 1000)

    with comes_out(SupervisorGaveUp):
        await supervise()

    assert await all_is_freed()


async def test_after_giving_up_because_of_the_backoff():
    def backoff(attempt):
        raise LookupError(Local())

    async def supervise():
        async with supervisor(backoff=backoff) as running:
            running.start_child(crash)

    with comes_out(SupervisorGaveUp):
        await supervise()

    assert await all_is_freed()


async def test_after_starts_that_the_loop_refused():
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()

    def refuse(loop, coroutine, **options):
        raise RuntimeError(Local())

    async def supervise():
        async with supervisor(intensity=1) as running:
            running.start_child(crash)
            loop.set_task_factory(refuse)
            await asyncio.sleep(1)

    with comes_out(SupervisorGaveUp):
        await supervise()
    loop.set_task_factory(factory)

    assert await all_is_freed()


async def test_after_a_function_that_raises_when_it_is_called():
    def broken(task_status):
        raise ValueError(Local())

    async def supervise():
        async with supervisor(intensity=1) as running:
            running.start_child(broken, handshake=True)

    with comes_out(SupervisorGaveUp):
        await supervise()

    assert await all_is_freed()


async def test_after_a_stop():
    async def supervise():
        local = Local()
        async with supervisor(intensity=10, period=1) as running:
            running.start_child(crash)
            running.start_child(fails_to_stop)
            running.start_child(crash, 0.5, restart="temporary")
            await asyncio.sleep(local is not None and 5)
            running.stop()

    await supervise()

    assert await all_is_freed()


async def test_after_an_error_of_the_body():
    async def supervise():
        local = Local()
        async with supervisor() as running:
            running.start_child(fails_to_stop)
            await asyncio.sleep(1)
            raise KeyError(local)

    with comes_out(KeyError):
        await supervise()

    assert await all_is_freed()


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
async def test_after_what_stops_the_program(fatal):
    async def supervise():
        local = Local()
        async with supervisor() as running:
            running.start_child(crash, 1, fatal)
            running.start_child(fails_to_stop)
            await asyncio.sleep(local is not None and 5)

    with comes_out(fatal):
        await supervise()

    assert await all_is_freed()


@pytest.mark.parametrize("in_body", [0, 1000])
async def test_after_the_callers_cancellation(in_body):
    async def supervise():
        local = Local()
        async with supervisor() as running:
            running.start_child(fails_to_stop)
            await asyncio.sleep(local is not None and in_body)

    calling = asyncio.create_task(supervise())
    await asyncio.sleep(5)
    calling.cancel()
    with comes_out(asyncio.CancelledError):
        await calling
    del calling

    assert await all_is_freed()


async def test_after_a_child_was_left_behind_and_ended_later():
    async def supervise():
        async with supervisor() as running:
            running.start_child(stubborn, grace=1)
            await asyncio.sleep(1)
            running.stop()

    await supervise()
    await asyncio.sleep(1000)

    assert await all_is_freed()


async def test_after_supervisors_of_supervisors():
    async def below():
        async with supervisor(intensity=1) as running:
            running.start_child(crash)

    async def above():
        async with supervisor(intensity=1) as running:
            running.start_child(below)

    with comes_out(SupervisorGaveUp):
        await above()

    assert await all_is_freed()


async def test_a_child_that_was_stopped_alone_is_not_kept():
    async with supervisor() as running:
        running.start_child(fails_to_stop)
        await asyncio.sleep(1)
        await running.stop_child("fails_to_stop")

        assert await all_is_freed()
