"""What a channel held is freed when it is over, without the cyclic collector."""

import asyncio
import gc
import weakref

import pytest

from unlost._core.channel._channel import Channel
from unlost.errors._exceptions import ConsumersGone, ProducerFailed


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


async def fail_after_a_turn(channel, end, error):
    local = Local()
    async with end:
        await asyncio.sleep(0)
        raise error(local)


async def be_told(channel, end, call, error):
    local = Local()
    try:
        async with end:
            while True:
                await call(end)
    except error:
        return
    finally:
        del local


async def all_is_freed():
    for _ in range(5):
        await asyncio.sleep(0)
    return not Local.alive


async def ended(*coroutines):
    for task in [asyncio.create_task(coroutine) for coroutine in coroutines]:
        await asyncio.wait([task])
        assert task.cancelled() or task.exception() is None or isinstance(task.exception(), ValueError)


async def test_after_a_failed_producer():
    channel = Channel(1)
    producer, consumers = channel.producer(), [channel.consumer(), channel.consumer()]

    await ended(
        fail_after_a_turn(channel, producer, ValueError),
        *(be_told(channel, consumer, lambda end: end.get(), ProducerFailed) for consumer in consumers),
    )

    assert await all_is_freed()


async def test_after_a_failed_consumer():
    channel = Channel(1)
    consumer, producers = channel.consumer(), [channel.producer(), channel.producer()]

    await ended(
        fail_after_a_turn(channel, consumer, ValueError),
        *(be_told(channel, producer, lambda end: end.put(0), ConsumersGone) for producer in producers),
    )
    channel.take_remaining()

    assert await all_is_freed()


async def test_after_cancelled_waiters():
    channel = Channel(1)
    consumer = channel.consumer()
    waiting = [asyncio.create_task(be_told(channel, consumer, lambda end: end.get(), ProducerFailed)) for _ in "abc"]
    await asyncio.sleep(0)

    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    del waiting, task

    assert await all_is_freed()


async def test_the_channel_itself_goes_with_its_last_end():
    channel = Channel(1)
    producer, consumer = channel.producer(), channel.consumer()
    producer.close()
    consumer.close()
    ends = weakref.ref(producer), weakref.ref(consumer)

    del channel, producer, consumer

    assert [end() for end in ends] == [None, None]


async def test_a_taken_item_is_not_kept():
    channel = Channel(1)
    async with channel.producer() as producer, channel.consumer() as consumer:
        taking = asyncio.create_task(consumer.get())
        await asyncio.sleep(0)
        await producer.put(Local())
        await taking
        del taking

        assert await all_is_freed()
