"""
A bounded queue whose producers and consumers are linked: each side hears of the other's end, and why it came.

Guarantees:

- An item that was put is taken once, or still in the channel, or returned by ``take_remaining``; or it is reported when
  the channel is dropped. A ``put`` that raised has not put; a ``get`` that raised has not taken.
- An iteration that ends normally has seen everything: all producers have left, and none failed or was cancelled.
- Nobody waits for a side that is gone. A producer or consumer that was dropped without being closed is gone as soon as
  nothing refers to it; ``close_with`` is for where something does.

After the memory channels of Trio and anyio, without what their users miss: the crash of a sender there is a normal end
to its receivers, and what lies in the buffer vanishes when the receivers leave (trio#719).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from unlost._core._usage import check_count
from unlost._core.channel._ends import Consumer, Producer
from unlost._core.channel._state import State
from unlost.errors import ChannelClosed, UsageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """
    A channel in one moment.

    Attributes:
        items: How many wait in it.
        size: How many may.
        producers: How many are open.
        consumers: How many are open.
        waiting_puts: How many calls of ``put`` wait.
        waiting_gets: How many calls of ``get`` wait.
    """

    items: int
    size: int
    producers: int
    consumers: int
    waiting_puts: int
    waiting_gets: int


class Channel(Generic[T]):
    """
    A bounded queue whose producers and consumers are linked.

        channel = Channel[str](100)

        async def produce(producer: Producer[str]) -> None:
            async with producer:
                await producer.put("an item")

        async def consume(consumer: Consumer[str]) -> None:
            async with consumer:
                async for item in consumer: ...

        async with TaskGroup() as group:
            group.start_soon(produce, channel.producer())
            group.start_soon(consume, channel.consumer())

    A producer or consumer is one from the moment of the call. Where there are several, make all of them before the
    first one can leave, as above; who wants to keep a channel open meanwhile keeps one of its own open.

    When the last producer has left, consumers get what is still in the channel and then its end: the iteration ends,
    or, if any producer left its block with an exception or by a cancellation, ``ProducerFailed`` is raised from that.
    When the last consumer has left, ``put`` raises ``ConsumersGone``, from what the consumers failed with, if they
    did. What they left in the channel is returned by ``take_remaining()``.

    It is for one event loop. From other threads use ``asyncio.run_coroutine_threadsafe``.

    Args:
        size: How many items may wait in it, at least 1.
        name: What errors and reports call it.

    Raises:
        UsageError: If ``size`` is no whole number of at least 1.
    """

    __slots__ = ("_name", "_state")

    def __init__(self, size: int, *, name: str = "") -> None:
        meaning = (
            "how many items may wait in it (0 is no limit to asyncio.Queue and a rendezvous to Trio: neither here)"
        )
        check_count("Channel", "size", size, meaning)
        self._name = name
        self._state: State[T] = State(size, name)

    def producer(self) -> Producer[T]:
        """
        Return a new producer, to be left by ``async with`` or closed.

        Raises:
            ChannelClosed: The last producer has left, and the consumers have been told so, or will be.
            UsageError: Another loop runs than the channel's.
        """
        state = self._state
        state.bind()
        if state.producers.gone:
            raise ChannelClosed(
                f"{state.title} has ended: all {state.producers.came} producers have left.\n"
                "Make all producers before the first one can leave: producers = [channel.producer() for _ in range(n)]"
            )
        return Producer(state, state.producers)

    def consumer(self) -> Consumer[T]:
        """
        Return a new consumer, to be left by ``async with`` or closed.

        One that comes when the channel has ended gets what is still in it, and the end.

        Raises:
            ChannelClosed: The last consumer has left before the producers, and these have been told so, or will be.
            UsageError: Another loop runs than the channel's.
        """
        state = self._state
        state.bind()
        if state.is_abandoned:
            raise ChannelClosed(
                f"{state.title} is abandoned: all {state.consumers.came} consumers have left before its producers.\n"
                "Make all consumers before the first one can leave: consumers = [channel.consumer() for _ in range(n)]"
            )
        return Consumer(state, state.consumers)

    def take_remaining(self) -> list[T]:
        """
        Return what nobody took, oldest first, and leave the channel empty.

        It is for when the consumers have left, or the loop has: then it can be called anywhere.

        Raises:
            UsageError: If a consumer may still take it, or if the channel's loop is open and is not the one that runs.
        """
        state = self._state
        is_in_use = state.loop is not None and not state.loop.is_closed()
        if is_in_use:
            state.bind()
        if state.consumers.open and is_in_use:
            raise UsageError(
                f"{self!r} has consumers that would have taken it.\n"
                "Write channel.take_remaining() when they have left, or consumer.get_nowait()."
            )
        remaining = list(state.items)
        state.items.clear()
        if is_in_use:
            state.places.serve()
        return remaining

    @property
    def size(self) -> int:
        """How many items may wait in it."""
        return self._state.size

    def statistics(self) -> ChannelStatistics:
        """Return how full it is, who is there, and who waits."""
        state = self._state
        return ChannelStatistics(
            items=len(state.items),
            size=state.size,
            producers=state.producers.open,
            consumers=state.consumers.open,
            waiting_puts=len(state.places),
            waiting_gets=len(state.arrivals),
        )

    def __len__(self) -> int:
        """Return how many items wait in it."""
        return len(self._state.items)

    def __bool__(self) -> bool:
        """Return True: an empty channel is a channel."""
        return True

    def __repr__(self) -> str:
        now = self.statistics()
        name = f" {self._name!r}" if self._name else ""
        producers = _some(now.producers, "producer", now.waiting_puts)
        consumers = _some(now.consumers, "consumer", now.waiting_gets)
        return f"<Channel{name}: {now.items} of {now.size} items, {producers}, {consumers}>"


def _some(count: int, noun: str, waiting: int) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}{f' ({waiting} waiting)' if waiting else ''}"
