"""
uvloop under a virtual clock: its own queue, file descriptors and threads, but timers that nobody waits for.

libuv does not let anybody jump its clock, so the timers are kept here. A pump, a callback that queues itself again in
every turn of the loop, sees when several turns in a row had nothing else to do, and then jumps to the next timer. What
is ready before a timer is due runs before it, as on any loop.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from contextvars import Context
from itertools import count
from typing import Any, Final

import uvloop

from support.virtual_time import hangs_after

# Turns without work before a jump. In each, uvloop has also looked at its file descriptors; one would do for tasks, but
# what uvloop queues for itself (a transport that closes) is not seen here, and takes a turn or two.
_IDLE_TURNS: Final = 3


class VirtualTimeUvloop(uvloop.Loop):
    """
    uvloop whose clock jumps to the next timer whenever nothing is ready.

    As in uvloop itself, times are whole milliseconds, and a timer of no more than half of one is an ordinary callback.
    Where no timer is set and no file descriptor or thread wakes the loop either, the test would hang for ever: that is
    an error here, and it says so.

    Attributes:
        patience: Seconds of real time that a thread or a file descriptor has for an answer when nothing else is left.
    """

    patience = 5.0

    def __init__(self) -> None:
        super().__init__()
        self._now = 0  # milliseconds
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._order = count()
        self._idle_turns = 0
        self._pumping = False
        self._alarm: asyncio.TimerHandle | None = None  # while nothing can happen but from outside
        self._hangs = False

    def time(self) -> float:
        return self._now / 1000

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        self._stir()
        return super().call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        due = round(min(when, 1e11) * 1000)  # uvloop's own idea of infinity
        if due <= self._now:
            # uvloop returns a plain handle too, whatever the annotation says
            return self.call_soon(callback, *args, context=context)  # type: ignore[return-value]
        self._stir()
        handle = asyncio.TimerHandle(due / 1000, callback, args, self, context)
        heapq.heappush(self._timers, (due, next(self._order), handle))
        return handle

    def run_forever(self) -> None:
        self._stir()
        super().run_forever()
        if self._hangs:
            self._hangs = False
            raise RuntimeError(hangs_after(self.patience, self))

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by the handle. It stays where it is until it would be due."""

    def _stir(self) -> None:
        """
        Something is going to happen: watch for the end of it.

        What a thread asks for is not seen here, only what comes of it: a task that goes on, a timer that is set.
        """
        self._idle_turns = 0
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self._pumping:
            self._pumping = True
            super().call_soon(self._pump)

    def _pump(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if self._idle_turns < _IDLE_TURNS:
            self._idle_turns += 1
        elif self._timers:
            self._jump()
        else:
            self._pumping = False
            self._alarm = super().call_later(self.patience, self._give_up)
            return
        super().call_soon(self._pump)

    def _jump(self) -> None:
        self._idle_turns = 0
        self._now = self._timers[0][0]
        while self._timers and self._timers[0][0] <= self._now:
            super().call_soon(_run, heapq.heappop(self._timers)[2])

    def _give_up(self) -> None:
        self._hangs = True
        self.stop()


def _run(handle: asyncio.TimerHandle) -> None:
    if not handle.cancelled():
        handle._run()  # in the handle's own context; what it raises goes where the loop's own callbacks' errors go
