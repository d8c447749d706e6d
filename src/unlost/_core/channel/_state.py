"""
What the two sides of a channel share, and the rules by which one side hears of the other.

States: open; ended, when the last producer has left; abandoned, when the last consumer has left before that. A side
that nobody came to yet is not gone.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, get_running_loop
from collections import deque
from typing import Generic, TypeVar

from unlost._core._reason import cancel_reason
from unlost._core._report import report
from unlost._core.channel._line import Line
from unlost.errors import (
    ChannelClosed,
    ChildCancelled,
    ConsumersGone,
    EndOfChannel,
    ItemsLeft,
    ProducerFailed,
    UsageError,
    headline,
)

T = TypeVar("T")


class Side:
    """
    All producers, or all consumers.

    Attributes:
        name: What one of them is called.
        came: How many there were so far.
        open: How many have not left.
        gone: Whether there were some and all have left.
        failed: How many have left with an error while the other side was there to hear of it.
        errors: Those errors, until both sides are gone.
        owed: Those of them that were given to the channel alone and that nobody has been told of.
    """

    __slots__ = ("came", "errors", "failed", "gone", "name", "open", "owed")

    def __init__(self, name: str) -> None:
        self.name = name
        self.came = self.open = self.failed = 0
        self.gone = False
        self.errors: list[BaseException] = []
        self.owed: list[BaseException] = []

    def join(self) -> None:
        self.came += 1
        self.open += 1
        self.gone = False

    def leave(self) -> None:
        self.open -= 1
        self.gone = not self.open

    def fail(self, error: BaseException, is_owed: bool) -> None:
        self.failed += 1
        self.errors.append(error)
        if is_owed:
            self.owed.append(error)

    def tell(self, kind: type[ChannelClosed], message: str) -> ChannelClosed:
        """Return a fresh error that says what this side failed with: one object is never raised in two tasks."""
        self.owed.clear()
        errors = tuple(self.errors)
        if errors:
            first = headline(errors[0])
            message += f" (the first with {first})" if len(errors) > 1 else f": {first}"
        told = kind(message, errors)
        if errors:
            told.__cause__ = errors[0] if len(errors) == 1 else BaseExceptionGroup(f"{self.name}s failed", errors)
        return told


class State(Generic[T]):
    """
    A channel without its ends.

    Attributes:
        items: What was put and not taken, oldest first.
        arrivals: Who waits for an item.
        places: Who waits for a place.
        loop: Where it is used; None before the first producer or consumer.
    """

    __slots__ = ("arrivals", "consumers", "items", "loop", "places", "producers", "size", "title")

    def __init__(self, size: int, name: str) -> None:
        items: deque[T] = deque()
        self.items = items
        self.size = size
        self.title = f"channel {name!r}" if name else f"a channel of size {size}"
        self.loop: AbstractEventLoop | None = None
        self.producers = Side("producer")
        self.consumers = Side("consumer")
        self.arrivals = Line(items.__len__)
        self.places = Line(lambda: size - len(items))  # not of self: that would be a cycle

    def bind(self) -> None:
        """Belong to the loop that runs; refuse any other from then on."""
        try:
            running = get_running_loop()
        except RuntimeError as error:
            raise UsageError(f"{self.title} was used where no event loop runs.\nWrite asyncio.run(main()).") from error
        if self.loop is None:
            self.loop = running
        if self.loop is not running:
            raise UsageError(
                f"{self.title} belongs to {self.loop!r} and was used from {running!r}.\n"
                "Make a channel in each loop; from another thread, write\n"
                "asyncio.run_coroutine_threadsafe(producer.put(item), loop).result()"
            )

    @property
    def has_ended(self) -> bool:
        """Whether no item is there, nor will ever be."""
        return self.producers.gone and not self.items

    @property
    def is_abandoned(self) -> bool:
        """Whether the consumers have left before the producers."""
        return self.consumers.gone and not self.producers.gone

    def add(self, item: T) -> None:
        """Put an item where there is a place for it."""
        self.items.append(item)
        if self.arrivals.waiting:
            self.arrivals.serve()

    def take(self) -> T:
        """Take the oldest item."""
        item = self.items.popleft()
        if self.places.waiting:
            self.places.serve()
        if self.has_ended:
            self.arrivals.send_away()
        return item

    def leave(self, side: Side, error: BaseException | None, is_owed: bool) -> None:
        """One end of ``side`` leaves, with what it failed with, if it did; ``is_owed`` if nobody else has that."""
        other = self.consumers if side is self.producers else self.producers
        if error is not None and not other.gone:
            side.fail(_as_failure(error, side), is_owed)
        elif error is not None and is_owed:
            report(error, f"a {side.name} of {self.title} was closed with it, and no {other.name} is left")
        side.leave()
        if self.consumers.gone:
            self.places.send_away()
        if self.has_ended:
            self.arrivals.send_away()
        if side.gone and other.gone:
            self._forget()

    def end(self) -> ChannelClosed:
        """Return what a consumer is told when the channel has ended."""
        side = self.producers
        if not side.failed:
            return EndOfChannel(f"{self.title} has ended: its producers have left, and everything was taken")
        return side.tell(ProducerFailed, f"{side.failed} of {side.came} producers of {self.title} failed")

    def abandonment(self) -> ChannelClosed:
        """Return what a producer is told when the channel is abandoned."""
        side = self.consumers
        what = f"all consumers of {self.title} have left, so that nobody takes what is put"
        if self.items:
            what += f"; channel.take_remaining() returns the {len(self.items)} that nobody took"
        return side.tell(ConsumersGone, what + (f"; {side.failed} of {side.came} failed" if side.failed else ""))

    def _forget(self) -> None:
        """Let go of what nobody is left to be told: the errors' tracebacks hold frames, and these hold the channel."""
        for side in (self.producers, self.consumers):
            side.errors = list(side.owed)

    def __del__(self) -> None:
        if self.items:
            left = ItemsLeft(f"{self.title} is gone, and nobody took {len(self.items)} of its items", tuple(self.items))
            report(left, f"{self.title} was dropped with items in it")
        for error in (*self.producers.owed, *self.consumers.owed):
            report(error, f"{self.title} was closed with it, and nobody was there to be told")


def _as_failure(error: BaseException, side: Side) -> BaseException:
    if not isinstance(error, CancelledError):
        return error
    # that one side was cancelled does not mean that the other one is
    child_cancelled = ChildCancelled(f"a {side.name} was cancelled: {cancel_reason(error) or 'no reason is known'}")
    child_cancelled.__cause__ = error
    return child_cancelled
