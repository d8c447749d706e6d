"""
The items of an asynchronous iterable.

One task, the feeder, runs the iterator from its first ``__anext__`` to its ``aclose()``: a generator that holds a scope
open across its yields (a timeout, a task group, a context variable) sees one task and one context throughout. It pulls
only while somebody waits for an item, so that no item is taken which nobody is free to run.
"""

from __future__ import annotations

from asyncio import CancelledError, Task, current_task
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing, nullcontext
from typing import Any, Generic, TypeVar

from unlost._core._waiters import Waiters
from unlost._core.pool._source import END, WAIT, Mark

S = TypeVar("S")


class AsyncSource(Generic[S]):
    """
    The items of ``items``, one for each who waits.

    An async generator is closed at the end, however that comes; other iterators belong to who made them.
    """

    needs_feeding = True

    def __init__(self, items: AsyncIterable[S]) -> None:
        self._iterator = aiter(items)
        self._shelf: deque[S] = deque()
        self._hungry = Waiters()  # workers without an item
        self._demand = Waiters()  # the feeder without a worker who waits
        self._over = False
        self._feeder: Task[Any] | None = None  # while it is inside the iterator; Any: its result is of no interest

    def pull(self) -> S | Mark:
        """Return an item that the feeder put on the shelf, if there is one."""
        if self._shelf:
            return self._shelf.popleft()
        return END if self._over else WAIT

    async def ready(self) -> None:
        """Ask for one more item, and return when there may be one."""
        self._demand.wake_one()
        await self._hungry.wait()

    def stop(self) -> None:
        """Cancel the iterator's ``__anext__``, if it is in one, and let everybody go."""
        if self._over:
            return
        self._end()
        # a generator that stops its own reader goes on to its next yield by itself
        if self._feeder is not None and self._feeder is not current_task():
            self._feeder.cancel("no more items are wanted")

    async def feed(self) -> None:
        """Serve the shelf until the iterator ends or nobody wants more; raise what the iterator raises."""
        generator = self._iterator
        async with aclosing(generator) if isinstance(generator, AsyncGenerator) else nullcontext():
            try:
                while await self._is_wanted():
                    self._shelf.append(await self._next())
                    self._hungry.wake_one()
            except StopAsyncIteration:
                pass
            except CancelledError:
                if not self._over:  # otherwise it is what stop() asked for
                    raise
            finally:
                self._end()

    async def _is_wanted(self) -> bool:
        while not self._hungry and not self._over:
            await self._demand.wait()
        return not self._over

    async def _next(self) -> S:
        self._feeder = current_task()
        try:
            return await anext(self._iterator)
        finally:
            self._feeder = None

    def _end(self) -> None:
        self._over = True
        self._hungry.wake_all()
        self._demand.wake_all()
