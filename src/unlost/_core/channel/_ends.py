"""The two ends of a channel: what a producer holds, and what a consumer holds."""

from __future__ import annotations

from asyncio import QueueEmpty, QueueFull, Task, get_running_loop
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from unlost._core._report import report
from unlost._core.channel._state import Side, State
from unlost.errors import ChannelClosed, ChildCancelled, EndOfChannel

T = TypeVar("T")


class End(Generic[T]):
    """What the two have in common: they are open from the call that made them until they are closed, once."""

    __slots__ = ("__weakref__", "_is_open", "_side", "_state", "_waits")

    def __init__(self, state: State[T], side: Side) -> None:
        self._state = state
        self._side = side
        self._waits = 0
        self._is_open = True
        side.join()

    async def __aenter__(self) -> Self:
        if not self._is_open:
            raise self._has_left()
        self._state.bind()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._leave(error, is_owed=False)

    def close(self, error: BaseException | None = None) -> None:
        """
        Leave; with an ``error``, as one that failed with it. Once is enough: again does nothing.

        The end of an ``async with`` block does it, too. Who waits at this very end in another task gets
        ``ChannelClosed``. An ``error`` that the other side is never told of is reported, as is one that comes too late.

        Raises:
            UsageError: If another loop runs than the channel's.
        """
        self._state.bind()
        if error is not None and not self._is_open:
            report(error, f"{self!r} was to be closed with it once more")
        self._leave(error, is_owed=True)

    def close_with(self, task: Task[Any]) -> Self:  # Any: tasks of every result
        """
        Leave when ``task`` has ended, as one that failed, if this is still open then; return this.

        It is for tasks that may be cancelled before their first step: they never come to their ``async with``, and for
        as long as somebody holds such a task unawaited, as ``asyncio.wait`` and ``gather`` do, Python keeps its
        arguments alive. What is dropped for good needs none of this.
        """
        task.add_done_callback(self._task_has_ended)
        return self

    def _task_has_ended(self, task: Task[Any]) -> None:  # Any: as above
        # the task's own exception is not looked at: that would silence asyncio's report of it
        how = "was cancelled" if task.cancelled() else "ended"
        self._leave(ChildCancelled(f"task {task.get_name()!r} {how} without closing its {self._side.name}"), False)

    def _leave(self, error: BaseException | None, is_owed: bool) -> None:
        if self._is_open:
            self._is_open = False
            self._state.leave(self._side, error, is_owed)
            if self._waits:
                self._state.arrivals.send_away(self)
                self._state.places.send_away(self)

    def _has_left(self) -> ChannelClosed:
        return ChannelClosed(
            f"this {self._side.name} of {self._state.title} has left: it was closed, or its block ended"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._state.title}{'' if self._is_open else ', closed'}>"

    def __del__(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        state, side = self._state, self._side
        error = ChildCancelled(
            f"a {side.name} was dropped without being closed: its task was cancelled before its first step, or"
            f" nobody wrote async with channel.{side.name}()"
        )
        if state.loop is not None and not state.loop.is_closed():
            # not here and now: the collector runs in any thread, in the midst of anything
            state.loop.call_soon_threadsafe(state.leave, side, error, False)


class Producer(End[T]):
    """
    What puts items into a channel: made by ``channel.producer()``, an async context manager.

    Several tasks may use one; each one's items arrive in the order in which it put them.
    """

    __slots__ = ()

    async def put(self, item: T) -> None:
        """
        Put ``item`` into the channel; wait for a place as long as it is full, first come first served.

        It returns if the item is in the channel, and raises if it is not: whatever comes out, a cancellation included,
        the item is still the caller's alone.

        Raises:
            ConsumersGone: The last consumer has left, be it while this waited.
            ChannelClosed: This producer was closed.
            CancelledError: The caller was cancelled while it waited. Where a place was free, nothing is awaited and a
                cancellation comes out of the next await.
            UsageError: Another loop runs than the channel's.
        """
        state = self._state
        items = state.items
        if (
            len(items) + state.places.promised < state.size
            and self._is_open
            and not state.consumers.gone
            and get_running_loop() is state.loop
        ):
            items.append(item)
            if state.arrivals.waiting:
                state.arrivals.serve()
            return
        await self._put_in_turn(item)

    def put_nowait(self, item: T) -> None:
        """
        Put ``item`` into the channel at once.

        Raises:
            asyncio.QueueFull: There is no place, or none that is not promised to one who waits.
            ConsumersGone, ChannelClosed, UsageError: As ``put``; then the item is not in the channel either.
        """
        state = self._state
        state.bind()
        if not self._can_put():
            raise self._cannot_put()
        if len(state.items) + state.places.promised >= state.size:
            raise QueueFull(f"{state.title} is full: {len(state.items)} items wait in it")
        state.add(item)

    async def _put_in_turn(self, item: T) -> None:
        state = self._state
        state.bind()
        self._waits += 1
        try:
            while self._can_put():
                if await state.places.wait(self) and self._can_put():
                    return state.add(item)
        finally:
            self._waits -= 1
        raise self._cannot_put()

    def _can_put(self) -> bool:
        return self._is_open and not self._state.consumers.gone

    def _cannot_put(self) -> ChannelClosed:
        self._state.places.serve()  # this one's turn is another one's now
        return self._state.abandonment() if self._is_open else self._has_left()


class Consumer(End[T]):
    """
    What takes items out of a channel: made by ``channel.consumer()``, an async context manager and iterator.

    Each item goes to one consumer. Several tasks may use one consumer.
    """

    __slots__ = ()

    async def get(self) -> T:
        """
        Take the oldest item out of the channel; wait for one while it is empty, first come first served.

        A cancelled ``get`` has taken nothing, be it that an item was already promised to it.

        Raises:
            EndOfChannel: The last producer has left, none failed, and every item was taken. An iteration ends.
            ProducerFailed: The same, but producers failed, or were cancelled: a fresh exception for each call, from
                their error, or from one group of all errors. Items that were put before are handed out first.
            ChannelClosed: This consumer was closed.
            CancelledError: The caller was cancelled while it waited. Where an item was there, nothing is awaited and
                a cancellation comes out of the next await.
            UsageError: Another loop runs than the channel's.
        """
        state = self._state
        items = state.items
        if len(items) > state.arrivals.promised and self._is_open and get_running_loop() is state.loop:
            item = items.popleft()
            if state.places.waiting:
                state.places.serve()
            return item
        return await self._get_in_turn()

    def get_nowait(self) -> T:
        """
        Take the oldest item out of the channel at once.

        Raises:
            asyncio.QueueEmpty: There is no item, or none that is not promised to one who waits.
            EndOfChannel, ProducerFailed, ChannelClosed, UsageError: As ``get``.
        """
        state = self._state
        state.bind()
        if not self._can_get():
            raise self._cannot_get()
        if len(state.items) <= state.arrivals.promised:
            raise QueueEmpty(f"nothing is in {state.title} for those who do not wait")
        return state.take()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            return await self.get()
        except EndOfChannel:
            raise StopAsyncIteration from None

    async def _get_in_turn(self) -> T:
        state = self._state
        state.bind()
        self._waits += 1
        try:
            while self._can_get():
                if await state.arrivals.wait(self) and self._can_get():
                    return state.take()
        finally:
            self._waits -= 1
        raise self._cannot_get()

    def _can_get(self) -> bool:
        return self._is_open and not self._state.has_ended

    def _cannot_get(self) -> ChannelClosed:
        self._state.arrivals.serve()  # this one's turn is another one's now
        return self._state.end() if self._is_open else self._has_left()
