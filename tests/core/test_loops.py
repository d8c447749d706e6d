"""What loops and task factories make different; as all of the core's tests, these run on each of them."""

import asyncio
import time

import pytest

from unlost._core import map, partial, settle, stream  # noqa: A004


async def identity(item):
    return item


async def suspends(item):
    await asyncio.sleep(item % 3)
    return item


async def fails(item):
    raise ValueError(item)


async def numbers():
    for item in range(5000):
        yield item


@pytest.mark.parametrize("func", [identity, suspends])
@pytest.mark.parametrize("isolate", ["worker", "task"])
@pytest.mark.parametrize("limit", [1, 2000])
@pytest.mark.parametrize("source", [lambda: range(5000), numbers])
async def test_many_items_run_without_deep_recursion(func, isolate, limit, source):
    outcomes = await map(func, source(), limit=limit, isolate=isolate)

    assert outcomes.values() == list(range(5000))


async def test_an_item_that_fails_before_it_suspends_is_a_failure():
    outcomes = await map(fails, range(3), limit=3)

    assert [failure.error.args for failure in outcomes.failures] == [(0,), (1,), (2,)]


async def test_an_item_that_stops_everything_before_it_suspends_comes_out(capfd):
    async def stop(item):
        if item == 1:
            raise SystemExit(item)
        await asyncio.sleep(1000)

    with pytest.raises(SystemExit) as caught:
        await map(stop, range(3), limit=3)
    assert partial(caught.value) is not None
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_settle_and_stream_work_too():
    async with stream(identity, range(100), limit=3) as outcomes:
        seen = [outcome.value async for outcome in outcomes]

    assert seen == list(range(100))
    assert (await settle(identity(1), suspends(2))).values() == [1, 2]


async def test_a_map_inside_a_map():
    async def outer(item):
        return (await map(suspends, range(item), limit=2)).values()

    outcomes = await map(outer, range(5), limit=2)

    assert outcomes.values() == [list(range(count)) for count in range(5)]


@pytest.mark.stock
async def test_the_loop_as_it_comes():
    outcomes = await map(identity, range(10), limit=3)

    assert abs(asyncio.get_running_loop().time() - time.monotonic()) < 1, "this is no virtual clock"
    assert outcomes.values() == list(range(10))
    assert all(0 <= outcome.duration < 1 for outcome in outcomes)


@pytest.mark.stock
async def test_items_that_wait_for_threads_and_sockets():
    async def echo(reader, writer):
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()

    async def ask(item):
        reader, writer = await asyncio.open_connection(*address)
        writer.write((await asyncio.to_thread("{}\n".format, item)).encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return int(answer)

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()
        outcomes = await map(ask, range(10), limit=3)

    assert outcomes.values() == list(range(10))
