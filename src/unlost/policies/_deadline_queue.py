"""
Limits of the same length, under one timer.

A timer for each limit is most of what a limit costs: a handle, a place in the loop's heap, and both stay until the loop
comes to sweep cancelled ones. Limits of one length that begin one after the other end in that order too: a queue, and a
timer for its head. Most limits of a program are of few lengths (hashed timing wheels, Varghese and Lauck, 1987, make
more of that).

Guarantees:

- Each limit fires at its time, as with a timer of its own. The timer stands at or before the head's time; where it
  comes too early, since the head it was set for is gone, it is set anew.
- A queue keeps nobody's context alive, and is kept alive only by the loop, for its timer, and by limits that run.
  The last timer stays behind, unused, for at most one length.
- There are at most ``_MOST`` queues in a process: lengths that are computed anew each time get timers of their own.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from contextvars import Context
from typing import Final, Protocol
from weakref import ref

_MOST: Final = 256


class Limit(Protocol):
    """What can wait in a queue."""

    def when(self) -> float | None:
        """Return at which time of the loop's clock it fires."""

    def fire(self) -> None:
        """Say that it is time."""


def line_up(limit: Limit, when: float, loop: AbstractEventLoop, seconds: float) -> dict[Limit, float] | None:
    """
    Let ``limit``, of so many seconds, fire at ``when``.

    Returns:
        Where it waits: taken out of it, it does not fire. None if it needs a timer of its own, since another one that
        came before it fires later, or since there are too many lengths.
    """
    key = id(loop), seconds
    known = _queues.get(key)
    queue = None if known is None else known()
    if queue is None:
        if len(_queues) >= _MOST:
            return None
        queue = _Queue(loop)
        _queues[key] = ref(queue, lambda gone: _forget(key, gone))
    if not queue.is_armed:
        queue.arm(when)
    elif when < queue.last:
        return None
    queue.last = when
    queue.limits[limit] = when
    return queue.limits


class _Queue:
    """The limits of one length on one loop that have not fired, in the order of their times."""

    __slots__ = ("__weakref__", "_armed_for", "_context", "_loop", "is_armed", "last", "limits")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self.limits: dict[Limit, float] = {}
        self.last = self._armed_for = 0.0
        self.is_armed = False
        # else the timer kept the context of whoever came first, with all that is in it
        self._context = Context()

    def arm(self, when: float) -> None:
        self.is_armed = True
        self._armed_for = when
        self._loop.call_at(when, self._tick, context=self._context)

    def _tick(self) -> None:
        # a loop may call a little early, by the resolution of its clock
        now = max(self._armed_for, self._loop.time())
        due = []
        for limit, when in self.limits.items():
            if when > now:
                self.arm(when)
                break
            due.append(limit)
        else:
            self.is_armed = False
        for limit in due:
            # what fired before it may have ended it
            if self.limits.pop(limit, None) is not None:
                limit.fire()


_queues: dict[tuple[int, float], ref[_Queue]] = {}


def _forget(key: tuple[int, float], gone: ref[_Queue]) -> None:
    # the id of a loop that is gone may be another one's by now
    if _queues.get(key) is gone:
        del _queues[key]
