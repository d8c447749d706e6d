"""How many calls run at once."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import TypeVar, TypeVarTuple

from unlost.policies._checks import check_count
from unlost.policies._keyed import Keyed
from unlost.policies._permits import Permits

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Bulkhead(Permits):
    """
    At most ``limit`` calls at once; others wait in line, first come first served.

        database = Bulkhead(10, queue=100, name="database")

        rows = await database.call(select, query)
        async with database:
            ...
        async with database["host-a"]:  # a limit of its own for each key
            ...

    Named after Polly's and resilience4j's: one that is full keeps what is slow from taking everything else with it.
    It may be used by many tasks, and by one event loop after the other, not by two at once.

    Args:
        limit: How many run at once; 1 or more.
        queue: How many may wait; beyond that, calls are rejected at once. 0 lets none wait, None any number.
        max_wait: The longest that a call waits, in seconds; None is any time.
        name: What errors and events call it.
        max_keys: For how many keys limits are kept (``bulkhead[key]``), beyond those in use.

    Raises:
        UsageError: A number is out of its range.
    """

    __slots__ = ("_keyed",)

    def __init__(
        self,
        limit: int,
        queue: int | None = None,
        *,
        max_wait: float | None = None,
        name: str = "bulkhead",
        max_keys: int = 10_000,
    ) -> None:
        check_count("Bulkhead", "limit", limit)
        super().__init__("Bulkhead", limit, queue, max_wait, name)
        make = partial(_for_key, limit, queue, max_wait, name)
        self._keyed: Keyed[Hashable, Bulkhead] = Keyed(make, Bulkhead._is_idle, max_keys)

    def __getitem__(self, key: Hashable) -> Bulkhead:
        """Return the limit for ``key``: like this one, and counted on its own."""
        return self._keyed[key]

    async def call(self, func: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
        """
        Return what ``func(*args)`` returns, or raise what it raises, once there is a permit.

        Raises:
            BulkheadFull: As many wait as may, or this one has waited as long as it may; ``func`` was not called.
            UsageError: Calls of another event loop are under way.
            CancelledError: As it comes; whoever is cancelled while it waits leaves the line.
        """
        loop = get_running_loop()
        if self._running < self._limit and self._loop is loop:
            self._running += 1
        else:
            await self._permit(loop)
        try:
            return await func(*args)
        finally:
            if self._loop is loop:  # the permits of a loop that has been closed are void
                self._running -= 1
                if self._line:
                    self._admit()

    def phrase(self) -> str:
        """Return what it does, as part of a sentence."""
        waiting = {None: "", 0: " (none waiting)"}.get(self._queue, f" (up to {self._queue} waiting)")
        return f"run at most {self._limit} at once{waiting}"

    def __repr__(self) -> str:
        queue = "" if self._queue is None else f", queue={self._queue}"
        return f"<Bulkhead({self._limit}{queue}, name={self.name!r}): {self._running} running, {self.waiting} waiting>"


def _for_key(limit: int, queue: int | None, max_wait: float | None, name: str, key: Hashable) -> Bulkhead:
    return Bulkhead(limit, queue, max_wait=max_wait, name=f"{name}[{key!r}]")
