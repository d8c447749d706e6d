"""A bounded queue: putting, taking, waiting in line."""

import asyncio

import pytest

from unlost._core.channel._channel import Channel, ChannelStatistics
from unlost.errors import UsageError
from unlost.errors._exceptions import ChannelClosed, EndOfChannel


async def a_turn():
    await asyncio.sleep(0)


async def started(*coroutines):
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    await a_turn()
    return tasks


async def test_items_are_taken_in_the_order_in_which_they_were_put():
    channel = Channel[int](3)

    async with channel.producer() as producer, channel.consumer() as consumer:
        for item in range(3):
            await producer.put(item)

        assert [await consumer.get() for _ in range(3)] == [0, 1, 2]


async def test_a_put_waits_while_the_channel_is_full():
    channel = Channel(1)

    async with channel.producer() as producer, channel.consumer() as consumer:
        await producer.put("first")
        (putting,) = await started(producer.put("second"))
        assert not putting.done()
        assert await consumer.get() == "first"
        await putting

        assert await consumer.get() == "second"


async def test_an_iteration_ends_when_the_last_producer_has_left_and_everything_was_taken():
    channel = Channel(10, name="numbers")
    first, second = channel.producer(), channel.producer()

    async with channel.consumer() as consumer:
        async with first:
            await first.put(1)
        async with second:
            await second.put(2)

        assert [item async for item in consumer] == [1, 2]
        with pytest.raises(EndOfChannel, match="channel 'numbers' has ended"):
            await consumer.get()


async def test_a_consumer_that_waits_is_told_the_end():
    channel = Channel(1)
    producer, consumer, other = channel.producer(), channel.consumer(), channel.consumer()
    getting = await started(consumer.get(), other.get())

    producer.close()

    for task in getting:
        with pytest.raises(EndOfChannel):
            await task
    consumer.close()
    other.close()


async def test_there_is_no_end_before_the_first_producer():
    channel = Channel(1)

    async with channel.consumer() as consumer:
        (getting,) = await started(consumer.get())
        async with channel.producer() as producer:
            await producer.put("item")

        assert await getting == "item"


async def test_who_waits_longest_gets_the_first_item():
    channel = Channel(5)

    async with channel.producer() as producer, channel.consumer() as consumer:
        getting = await started(consumer.get(), consumer.get(), consumer.get())
        for item in range(3):
            producer.put_nowait(item)

        assert await asyncio.gather(*getting) == [0, 1, 2]


async def test_who_waits_longest_puts_first():
    channel = Channel(1)

    async with channel.producer() as producer, channel.consumer() as consumer:
        putting = await started(*(producer.put(item) for item in range(4)))

        assert [await consumer.get() for _ in range(4)] == [0, 1, 2, 3]
        await asyncio.gather(*putting)


async def test_an_item_is_not_taken_from_one_who_waited_for_it():
    channel = Channel(5)

    async with channel.producer() as producer, channel.consumer() as patient, channel.consumer() as hasty:
        (getting,) = await started(patient.get())
        waiting = asyncio.create_task(hasty.get())  # it runs before the one that is about to be woken
        producer.put_nowait("item")

        with pytest.raises(asyncio.QueueEmpty, match="for those who do not wait"):
            hasty.get_nowait()
        assert await getting == "item"
        await a_turn()
        assert not waiting.done()
        await producer.put("the next")
        assert await waiting == "the next"


async def test_no_more_is_promised_than_there_is():
    channel = Channel(5)

    async with channel.producer() as producer, channel.consumer() as consumer:
        getting = await started(*(consumer.get() for _ in range(4)))
        producer.put_nowait(0)
        producer.put_nowait(1)
        await asyncio.wait(getting[:2])
        await a_turn()

        assert [task.done() for task in getting] == [True, True, False, False]
        producer.put_nowait(2)
        producer.put_nowait(3)
        assert await asyncio.gather(*getting) == [0, 1, 2, 3]


async def test_who_waits_behind_the_last_item_is_told_the_end_when_it_was_taken():
    channel = Channel(1)
    producer, first, second = channel.producer(), channel.consumer(), channel.consumer()
    at_first, at_second = await started(first.get(), second.get())

    producer.put_nowait("the last")
    producer.close()

    assert await at_first == "the last"
    with pytest.raises(EndOfChannel):
        await at_second
    first.close()
    second.close()


async def test_who_waits_behind_the_last_item_gets_it_when_the_one_before_is_cancelled():
    channel = Channel(1)
    producer, first, second = channel.producer(), channel.consumer(), channel.consumer()
    at_first, at_second = await started(first.get(), second.get())

    producer.put_nowait("the last")
    producer.close()
    at_first.cancel()

    assert await at_second == "the last"
    with pytest.raises(asyncio.CancelledError):
        await at_first
    first.close()
    second.close()


async def test_calls_that_were_cancelled_are_no_longer_in_line():
    channel = Channel(1)

    async with channel.producer() as producer, channel.consumer() as consumer:
        getting = await started(consumer.get(), consumer.get())
        for task in getting:
            task.cancel()
        await asyncio.wait(getting)
        assert channel.statistics().waiting_gets == 0

        await producer.put("item")
        (putting,) = await started(producer.put("refused"))
        putting.cancel()
        await asyncio.wait([putting])
        assert channel.statistics().waiting_puts == 0
        assert await consumer.get() == "item"


async def test_a_place_is_not_taken_from_one_who_waited_for_it():
    channel = Channel(1)

    async with channel.producer() as patient, channel.producer() as hasty, channel.consumer() as consumer:
        await patient.put("first")
        (putting,) = await started(patient.put("second"))
        waiting = asyncio.create_task(hasty.put("third"))  # it runs before the one that is about to be woken
        consumer.get_nowait()

        with pytest.raises(asyncio.QueueFull):
            hasty.put_nowait("third")
        await putting
        await a_turn()
        assert not waiting.done()
        assert [await consumer.get(), await consumer.get()] == ["second", "third"]
        await waiting


async def test_a_place_that_was_promised_to_a_closed_producer_goes_to_the_next():
    channel = Channel(1)
    first, second, consumer = channel.producer(), channel.producer(), channel.consumer()
    await first.put("item")
    at_first, at_second = await started(first.put("not put"), second.put("put"))

    consumer.get_nowait()
    first.close()

    with pytest.raises(ChannelClosed, match="this producer"):
        await at_first
    await at_second
    assert await consumer.get() == "put"
    second.close()
    consumer.close()


async def test_what_is_not_promised_is_there_at_once_for_anybody():
    channel = Channel(5)

    async with channel.producer() as producer, channel.consumer() as consumer:
        (getting,) = await started(consumer.get())
        producer.put_nowait(0)
        producer.put_nowait(1)

        assert consumer.get_nowait() == 0
        assert await getting == 1


async def test_without_waiting_a_full_channel_refuses_and_an_empty_one_too():
    channel = Channel(1)

    async with channel.producer() as producer, channel.consumer() as consumer:
        producer.put_nowait("item")

        with pytest.raises(asyncio.QueueFull, match="a channel of size 1 is full: 1 items"):
            producer.put_nowait("another")
        assert consumer.get_nowait() == "item"
        with pytest.raises(asyncio.QueueEmpty):
            consumer.get_nowait()


async def test_a_closed_end_is_of_no_use():
    channel = Channel(1, name="urls")
    producer, consumer = channel.producer(), channel.consumer()
    kept = channel.producer(), channel.consumer()
    producer.close()
    consumer.close()

    with pytest.raises(ChannelClosed, match="this producer of channel 'urls' has left"):
        await producer.put(1)
    with pytest.raises(ChannelClosed, match="this producer"):
        producer.put_nowait(1)
    with pytest.raises(ChannelClosed, match="this consumer"):
        await consumer.get()
    with pytest.raises(ChannelClosed, match="this consumer"):
        consumer.get_nowait()
    with pytest.raises(ChannelClosed, match="this consumer"):
        await anext(consumer)
    with pytest.raises(ChannelClosed, match="this producer"):
        await producer.__aenter__()
    for end in kept:
        end.close()


async def test_who_waits_at_an_end_that_is_closed_is_let_go_and_nobody_else():
    channel = Channel(1)
    producer, other, consumer = channel.producer(), channel.producer(), channel.consumer()
    await producer.put("item")
    at_closed, at_other = await started(producer.put("refused"), other.put("put"))

    producer.close()

    with pytest.raises(ChannelClosed, match="this producer"):
        await at_closed
    assert not at_other.done()
    assert [await consumer.get(), await consumer.get()] == ["item", "put"]
    other.close()
    consumer.close()


async def test_what_was_promised_to_a_closed_end_goes_to_the_next():
    channel = Channel(1)
    producer, first, second = channel.producer(), channel.consumer(), channel.consumer()
    at_first, at_second = await started(first.get(), second.get())

    producer.put_nowait("item")
    first.close()

    with pytest.raises(ChannelClosed, match="this consumer"):
        await at_first
    assert await at_second == "item"
    producer.close()
    second.close()


async def test_closing_twice_is_closing_once():
    channel = Channel(1)
    producer, other = channel.producer(), channel.producer()

    producer.close()
    producer.close()

    assert channel.statistics().producers == 1
    other.close()


async def test_a_producer_is_refused_after_the_end_and_told_how_to_write_it():
    channel = Channel(1, name="urls")
    channel.producer().close()

    with pytest.raises(
        ChannelClosed, match=r"channel 'urls' has ended: all 1 producers.*\n.*\[channel.producer\(\) for"
    ):
        channel.producer()


async def test_a_consumer_is_refused_when_the_others_have_left_too_early():
    channel = Channel(1)
    producer = channel.producer()
    channel.consumer().close()

    with pytest.raises(ChannelClosed, match=r"is abandoned: all 1 consumers.*\n.*\[channel.consumer\(\) for"):
        channel.consumer()
    producer.close()


async def test_a_consumer_that_comes_after_the_end_gets_what_is_still_there():
    channel = Channel(3)
    async with channel.producer() as producer:
        await producer.put("item")
    async with channel.consumer() as early:
        assert [item async for item in early] == ["item"]

    async with channel.consumer() as late:
        assert [item async for item in late] == []


@pytest.mark.parametrize("size", [0, -1, 1.5, True, None])
def test_a_size_that_is_no_whole_number_of_at_least_1_is_refused(size):
    with pytest.raises(UsageError, match=r"Channel\(\) got size=.* Write a whole number of at least 1"):
        Channel(size)


def test_without_a_loop_it_says_so():
    channel = Channel(1, name="urls")

    with pytest.raises(UsageError, match="channel 'urls' was used where no event loop runs"):
        channel.producer()


def test_another_loop_is_refused_by_every_call():
    channel = Channel(5)

    async def make():
        producer, consumer = channel.producer(), channel.consumer()
        await producer.put("item")
        return producer, consumer

    async def use(producer, consumer):
        for call in (channel.producer, channel.consumer, producer.close, consumer.get_nowait):
            with pytest.raises(UsageError, match=r"belongs to .* and was used from"):
                call()
        with pytest.raises(UsageError, match="belongs to"):
            producer.put_nowait(1)
        with pytest.raises(UsageError, match="belongs to"):
            await producer.put(1)
        with pytest.raises(UsageError, match="belongs to"):
            await consumer.get()

    ends = asyncio.run(make())
    asyncio.run(use(*ends))

    assert channel.take_remaining() == ["item"]


def test_what_still_waits_in_a_closed_loop_is_let_go_without_an_error():
    loop = asyncio.new_event_loop()  # uvloop would run what is ready before it stops
    loop.set_exception_handler(lambda loop, context: None)  # it would say that a pending task was destroyed
    channel = Channel(5)

    async def enter_and_wait():
        async with channel.producer() as producer, channel.consumer() as promised, channel.consumer() as waiting:
            coroutines.extend(end.get() for end in (promised, waiting, waiting))
            tasks.extend([asyncio.create_task(coroutine) for coroutine in coroutines])
            await a_turn()
            await a_turn()
            producer.put_nowait("item")
            loop.stop()
            await asyncio.Event().wait()

    coroutines, tasks = [], []
    body = enter_and_wait()
    tasks.append(loop.create_task(body))
    loop.run_forever()
    loop.close()

    coroutines[0].close()
    body.close()

    assert channel.take_remaining() == ["item"]
    assert channel.statistics() == ChannelStatistics(
        items=0, size=5, producers=0, consumers=0, waiting_puts=0, waiting_gets=0
    )
    coroutines[1].close()
    coroutines[2].close()


async def test_it_says_what_is_in_it_and_who_waits():
    channel = Channel(1, name="urls")
    async with channel.producer() as producer, channel.consumer() as consumer:
        await producer.put("item")
        (putting,) = await started(producer.put("another"))

        assert channel.statistics() == ChannelStatistics(
            items=1, size=1, producers=1, consumers=1, waiting_puts=1, waiting_gets=0
        )
        assert repr(channel) == "<Channel 'urls': 1 of 1 items, 1 producer (1 waiting), 1 consumer>"
        assert repr(producer) == "<Producer of channel 'urls'>"
        assert (len(channel), channel.size) == (1, 1)
        assert [await consumer.get(), await consumer.get()] == ["item", "another"]
        await putting
    assert repr(consumer) == "<Consumer of channel 'urls', closed>"


def test_an_empty_channel_is_true():
    assert Channel(1)
