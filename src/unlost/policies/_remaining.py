"""The limits of time around what is running, and how much time they leave."""

from __future__ import annotations

from asyncio import get_running_loop
from contextvars import ContextVar
from typing import Protocol


class Ambient(Protocol):
    """A limit of time that code runs in."""

    @property
    def around(self) -> Ambient | None:
        """The limit around it."""
        ...

    def when(self) -> float | None:
        """Return when it fires, by the loop's clock."""
        ...

    def is_active(self) -> bool:
        """Tell whether its block has been entered and not left."""
        ...


innermost: ContextVar[Ambient | None] = ContextVar("unlost.deadline", default=None)


def remaining() -> float | None:
    """
    Return how many seconds the limits of time around this code leave, those around the task that started it included.

        await client.post(url, headers={"X-Timeout": str(unlost.remaining())})

    It is 0.0 once the time is up, while cleanup runs for example, and None where there is no limit. Only limits of this
    library count, ``asyncio.timeout`` does not.

    Raises:
        RuntimeError: No loop runs.
    """
    now = get_running_loop().time()
    times = []
    limit = innermost.get()
    while limit is not None:
        when = limit.when()
        if when is not None and limit.is_active():
            times.append(when)
        limit = limit.around
    return max(0.0, min(times) - now) if times and min(times) < float("inf") else None


def active(limit: Ambient | None) -> Ambient | None:
    """
    Return ``limit``, or the first one around it whose block was not left.

    Blocks may be left in another order than a stack's: at a yield of an async generator, or by a task that outlives the
    block that it was started in.
    """
    while limit is not None and not limit.is_active():
        limit = limit.around
    return limit
