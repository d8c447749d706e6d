"""What one side of a channel hears of the other's failure, and where what nobody hears of goes."""

import asyncio
import pickle
import subprocess
import sys

import pytest

from unlost._core._report import report_to
from unlost._core.channel._channel import Channel
from unlost.errors import ChildCancelled
from unlost.errors._exceptions import ChannelClosed, ConsumersGone, EndOfChannel, ItemsLeft, ProducerFailed


@pytest.fixture
def reports():
    seen = []
    with report_to(lambda error, what: seen.append((error, what))):
        yield seen


async def fail(end, error):
    async with end:
        raise error


async def all_of(consumer):
    async with consumer:
        return [item async for item in consumer]


async def started(*coroutines):
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    await asyncio.sleep(0)
    return tasks


async def test_everybody_who_waits_gets_the_failure_of_the_last_producer_each_an_error_of_its_own():
    channel = Channel(1, name="urls")
    producer = channel.producer()
    error = ValueError("boom")
    waiting = await started(all_of(channel.consumer()), all_of(channel.consumer()))

    with pytest.raises(ValueError, match="boom"):
        await fail(producer, error)
    told = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(each) for each in told] == [ProducerFailed, ProducerFailed]
    assert told[0] is not told[1]
    assert all(each.__cause__ is error and each.errors == (error,) for each in told)
    assert str(told[0]) == "1 of 1 producers of channel 'urls' failed: ValueError: boom"
    assert error.__context__ is None


async def test_what_was_put_before_is_taken_before_the_failure():
    channel = Channel(5)
    taken = []
    with pytest.raises(ValueError, match="boom"):
        async with channel.producer() as producer:
            await producer.put(1)
            await producer.put(2)
            raise ValueError("boom")

    async with channel.consumer() as consumer:
        with pytest.raises(ProducerFailed):
            async for item in consumer:
                taken.append(item)
        assert taken == [1, 2]
        with pytest.raises(ProducerFailed):
            consumer.get_nowait()


async def test_a_failure_is_kept_until_the_last_producer_has_left():
    channel = Channel(5)
    failing, working = channel.producer(), channel.producer()
    (taking,) = await started(all_of(channel.consumer()))
    with pytest.raises(ValueError, match="boom"):
        await fail(failing, ValueError("boom"))

    async with working:
        await working.put("item")
        await asyncio.sleep(1)
        assert not taking.done()

    with pytest.raises(ProducerFailed, match="1 of 2 producers"):
        await taking


async def test_several_failures_come_as_one_group():
    channel = Channel(1)
    errors = [ValueError("first"), KeyError("second")]
    producers = [channel.producer() for _ in errors]
    consumer = channel.consumer()
    for producer, error in zip(producers, errors, strict=True):
        with pytest.raises(type(error)):
            await fail(producer, error)

    with pytest.raises(ProducerFailed, match=r"2 of 2 producers .* \(the first with ValueError: first\)") as caught:
        await consumer.get()

    assert caught.value.errors == tuple(errors)
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert caught.value.__cause__.exceptions == tuple(errors)
    consumer.close()


async def test_a_cancelled_producer_does_not_cancel_its_consumers():
    channel = Channel(1)
    (producing,) = await started(all_of_time(channel.producer()))
    (taking,) = await started(all_of(channel.consumer()))

    producing.cancel("no longer wanted")

    with pytest.raises(ProducerFailed, match="ChildCancelled: a producer was cancelled: no longer wanted") as caught:
        await taking
    assert isinstance(caught.value.__cause__, ChildCancelled)
    assert isinstance(caught.value.__cause__.__cause__, asyncio.CancelledError)
    assert not taking.cancelled()
    assert producing.cancelled()


async def all_of_time(end):
    async with end:
        await asyncio.Event().wait()


async def test_a_producer_that_was_given_to_a_coroutine_which_never_ran_leaves_nobody_waiting():
    channel = Channel(1)
    all_of_time(channel.producer()).close()

    with pytest.raises(ProducerFailed, match="dropped without being closed: its task was cancelled before its first"):
        await all_of(channel.consumer())


# an eager task has taken its first step when it is made
@pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
async def test_a_held_task_that_was_cancelled_before_its_first_step_keeps_its_producer_open():
    channel = Channel(1)
    held = asyncio.create_task(all_of_time(channel.producer()))
    held.cancel()
    (taking,) = await started(all_of(channel.consumer()))
    await asyncio.sleep(1)

    assert not taking.done()
    del held
    with pytest.raises(ProducerFailed, match="dropped without being closed"):
        await taking


async def test_a_producer_closed_with_its_task_leaves_nobody_waiting():
    channel = Channel(1)
    producer = channel.producer()
    held = asyncio.create_task(asyncio.sleep(1), name="never enters it")
    producer.close_with(held)

    with pytest.raises(ProducerFailed, match="ChildCancelled: task 'never enters it' ended without closing its"):
        await all_of(channel.consumer())


async def test_a_producer_that_left_well_is_not_failed_by_the_end_of_its_task():
    channel = Channel(1)
    producer = channel.producer()
    (task,) = await started(put_one(producer))
    producer.close_with(task)

    assert await all_of(channel.consumer()) == ["item"]


async def put_one(producer):
    async with producer:
        await asyncio.sleep(1)
        await producer.put("item")


async def test_a_consumer_that_was_dropped_leaves_nobody_waiting(reports):
    channel = Channel(1)
    producer = channel.producer()
    channel.consumer()
    await producer.put("there is a place")

    with pytest.raises(ConsumersGone, match="a consumer was dropped without being closed"):
        await producer.put("there is none")

    assert channel.take_remaining() == ["there is a place"]
    producer.close()
    assert reports == []


async def test_everybody_who_waits_with_an_item_hears_why_the_last_consumer_has_left():
    channel = Channel(1, name="urls")
    first, second, consumer = channel.producer(), channel.producer(), channel.consumer()
    await first.put("taken by nobody")
    error = ValueError("boom")
    putting = await started(first.put(1), second.put(2))

    with pytest.raises(ValueError, match="boom"):
        await fail(consumer, error)
    told = await asyncio.gather(*putting, return_exceptions=True)

    assert [type(each) for each in told] == [ConsumersGone, ConsumersGone]
    assert told[0] is not told[1]
    assert all(each.__cause__ is error and each.errors == (error,) for each in told)
    assert str(told[0]) == (
        "all consumers of channel 'urls' have left, so that nobody takes what is put; channel.take_remaining() "
        "returns the 1 that nobody took; 1 of 1 failed: ValueError: boom"
    )
    assert channel.take_remaining() == ["taken by nobody"]
    assert len(channel) == 0
    first.close()
    second.close()


async def test_consumers_that_left_without_an_error_are_no_cause():
    channel = Channel(1)
    async with channel.producer() as producer:
        channel.consumer().close()

        with pytest.raises(ConsumersGone) as caught:
            await producer.put(1)
        with pytest.raises(ConsumersGone):
            producer.put_nowait(1)

    assert caught.value.__cause__ is None
    assert caught.value.errors == ()


async def test_a_place_that_was_promised_is_not_filled_for_consumers_that_are_gone():
    channel = Channel(1)
    producer, consumer = channel.producer(), channel.consumer()
    await producer.put("taken")
    (putting,) = await started(producer.put("not put"))

    consumer.get_nowait()
    consumer.close()

    with pytest.raises(ConsumersGone):
        await putting
    assert len(channel) == 0
    producer.close()


async def test_what_remains_is_not_taken_from_under_consumers():
    channel = Channel(1)
    async with channel.consumer():
        with pytest.raises(ValueError, match=r"has consumers that would have taken it"):
            channel.take_remaining()


async def test_taking_what_remains_makes_places():
    channel = Channel(2)
    async with channel.producer() as producer:
        await producer.put(1)
        await producer.put(2)
        (putting,) = await started(producer.put(3))

        assert channel.take_remaining() == [1, 2]
        await putting

    assert channel.take_remaining() == [3]


async def test_an_error_given_to_the_channel_reaches_the_consumer(reports):
    channel = Channel(1)
    error = ValueError("from a callback")
    async with channel.consumer() as consumer:
        channel.producer().close(error)

        with pytest.raises(ProducerFailed) as caught:
            await consumer.get()

    assert caught.value.__cause__ is error
    del channel, consumer, caught
    assert reports == []


async def test_an_error_given_to_a_channel_that_nobody_takes_from_is_reported(reports):
    channel = Channel(1)
    error = ValueError("from a callback")
    channel.producer().close(error)

    del channel

    assert reports == [(error, "a channel of size 1 was closed with it, and nobody was there to be told")]


async def test_an_error_given_after_everybody_has_left_is_reported_at_once(reports):
    channel = Channel(1)
    producer = channel.producer()
    channel.consumer().close()
    error = ValueError("from a callback")

    producer.close(error)

    assert reports == [(error, "a producer of a channel of size 1 was closed with it, and no consumer is left")]


async def test_an_error_given_to_an_end_that_was_closed_is_reported(reports):
    channel = Channel(1, name="urls")
    producer = channel.producer()
    producer.close()
    error = ValueError("too late")

    producer.close(error)

    assert reports == [(error, "<Producer of channel 'urls', closed> was to be closed with it once more")]


async def test_a_consumer_after_the_end_still_hears_that_something_failed():
    channel = Channel(1)
    early = channel.consumer()
    with pytest.raises(ValueError, match="boom"):
        await fail(channel.producer(), ValueError("boom"))
    with pytest.raises(ProducerFailed):
        await all_of(early)

    with pytest.raises(ProducerFailed, match=r"1 of 1 producers of a channel of size 1 failed$"):
        await all_of(channel.consumer())


async def test_items_that_nobody_took_are_reported_when_the_channel_is_dropped(reports):
    channel = Channel(5, name="urls")
    async with channel.producer() as producer:
        await producer.put("one")
        await producer.put("two")

    del channel, producer

    [(error, what)] = reports
    assert isinstance(error, ItemsLeft)
    assert error.items == ("one", "two")
    assert str(error) == "channel 'urls' is gone, and nobody took 2 of its items"
    assert what == "channel 'urls' was dropped with items in it"


async def test_a_channel_that_ended_well_reports_nothing(reports):
    channel = Channel(5)
    async with channel.producer() as producer:
        await producer.put("item")
    assert await all_of(channel.consumer()) == ["item"]

    del channel, producer

    assert reports == []


@pytest.mark.parametrize("kind", [ChannelClosed, ConsumersGone, EndOfChannel, ProducerFailed])
def test_its_errors_pickle_with_those_of_the_other_side(kind):
    loaded = pickle.loads(pickle.dumps(kind("why", (ValueError("boom"),))))

    assert type(loaded) is kind
    assert str(loaded) == "why"
    assert [repr(error) for error in loaded.errors] == ["ValueError('boom')"]


def test_items_left_pickle_without_what_may_not_pickle():
    loaded = pickle.loads(pickle.dumps(ItemsLeft("why", (lambda: None,))))

    assert str(loaded) == "why"
    assert loaded.items == ()


PROGRAM = """
import asyncio
from unlost._core.channel._channel import Channel

channel = Channel(5, name="urls")

async def main():
    async with channel.producer() as producer:
        await producer.put(1)
    {more}

asyncio.run(main())
"""


@pytest.mark.parametrize("more", ["", "raise KeyError", "channel.consumer()"])
def test_items_left_in_a_global_channel_are_told_when_the_interpreter_exits(more):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(more=more)], capture_output=True, text=True, check=False
    )

    assert "ItemsLeft: channel 'urls' is gone, and nobody took 1 of its items" in done.stderr
    assert "Exception ignored" not in done.stderr
