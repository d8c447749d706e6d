"""
Random producers, consumers and cancellations, in any order of turns: every item is in exactly one place.

The ground truth is what each producer and consumer notes itself: what it put, what a put refused, what it got.
"""

import asyncio
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlost._core.channel._channel import Channel
from unlost.errors._exceptions import ConsumersGone, EndOfChannel, ProducerFailed

turns_taken = st.lists(st.integers(0, 3), min_size=1, max_size=4)


@dataclass(frozen=True)
class Producing:
    """A producer: how many items, how many turns it takes before each, what becomes of it when it is cancelled."""

    items: int
    pace: list[int]
    when_cancelled: str  # "leaves", "tries again", "goes on with the next"
    fails: bool


@dataclass(frozen=True)
class Consuming:
    """A consumer: how many items at most, how many turns it takes after each, whether a cancellation ends it."""

    most: int
    pace: list[int]
    when_cancelled: str  # "leaves", "tries again"
    fails: bool


@dataclass
class Books:
    put: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    got: list = field(default_factory=list)
    ends: list = field(default_factory=list)


producing = st.builds(
    Producing,
    st.integers(0, 6),
    turns_taken,
    st.sampled_from(["leaves", "tries again", "goes on with the next"]),
    st.booleans(),
)
consuming = st.builds(
    Consuming, st.integers(0, 12), turns_taken, st.sampled_from(["leaves", "tries again"]), st.booleans()
)
cancellations = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 6)), max_size=12)


async def turns(number):
    for _ in range(number):
        await asyncio.sleep(0)


async def produce(number, script, producer, books):
    async with producer:
        for serial in range(script.items):
            item = (number, serial)
            await turns(script.pace[serial % len(script.pace)])
            while True:
                try:
                    await producer.put(item)
                except asyncio.CancelledError:
                    if script.when_cancelled == "tries again":
                        continue
                    books.refused.append(item)
                    if script.when_cancelled == "leaves":
                        raise
                except ConsumersGone:
                    books.refused.append(item)
                    raise
                else:
                    books.put.append(item)
                break
        if script.fails:
            raise ValueError(number)


async def consume(script, consumer, books):
    async with consumer:
        for turn in range(script.most):
            while True:
                try:
                    books.got.append(await consumer.get())
                except asyncio.CancelledError:
                    if script.when_cancelled == "leaves":
                        raise
                    continue
                except (EndOfChannel, ProducerFailed) as end:
                    books.ends.append(type(end))
                    raise
                break
            await turns(script.pace[turn % len(script.pace)])
        if script.fails:
            raise KeyError("consumer")


async def play(size, producers, consumers, cancellations, books):
    """Run all; return the channel, and what each producer ended with."""
    channel = Channel(size)
    # all ends before all tasks: eager ones might leave before the next one came
    ends = [channel.producer() for _ in producers], [channel.consumer() for _ in consumers]
    makers = [
        asyncio.create_task(produce(number, script, end, books))
        for number, (script, end) in enumerate(zip(producers, ends[0], strict=True))
    ]
    takers = [asyncio.create_task(consume(script, end, books)) for script, end in zip(consumers, ends[1], strict=True)]
    tasks = [*makers, *takers]
    for task, end in zip(tasks, [*ends[0], *ends[1]], strict=True):
        end.close_with(task)
    ended = asyncio.gather(*tasks, return_exceptions=True)
    for at in range(26):
        for turn, who in cancellations:
            if turn == at:
                tasks[who % len(tasks)].cancel()
        await asyncio.sleep(0)
    return channel, [end is not None for end in (await ended)[: len(makers)]]


def check(channel, books):
    remaining = channel.take_remaining()
    assert sorted(books.got + remaining) == sorted(books.put)
    assert len(set(books.put + books.refused)) == len(books.put + books.refused)
    for number in {number for number, _ in books.put}:
        one = [serial for maker, serial in books.got + remaining if maker == number]
        assert one == sorted(one), "the items of one producer arrive in its order"
    assert (channel.statistics().waiting_puts, channel.statistics().waiting_gets) == (0, 0)


@settings(deadline=None, max_examples=300)
@given(
    size=st.integers(1, 3),
    producers=st.lists(producing, min_size=1, max_size=3),
    consumers=st.lists(consuming, min_size=1, max_size=3),
    cancellations=cancellations,
)
def test_every_item_was_taken_once_or_is_in_the_channel_or_was_refused(
    virtual_loop, size, producers, consumers, cancellations
):
    books = Books()

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        channel, failed = runner.run(play(size, producers, consumers, cancellations, books))

    check(channel, books)
    assert (EndOfChannel in books.ends) <= (not any(failed)), "a normal end says that no producer failed"
    assert (ProducerFailed in books.ends) <= any(failed)


@pytest.mark.parametrize("victim", range(4))
@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("pace", [0, 1])
async def test_no_item_is_lost_wherever_one_of_four_is_cancelled(victim, size, pace):
    producers = [Producing(4, [0], "leaves", False), Producing(4, [pace], "leaves", False)]
    consumers = [Consuming(99, [0], "leaves", False), Consuming(99, [pace, 0], "leaves", False)]
    whole = 0

    for at in count():
        books = Books()
        channel, failed = await play(size, producers, consumers, [(at, victim)], books)
        check(channel, books)
        whole += not any(failed)
        if at > 25:
            break

    assert whole
