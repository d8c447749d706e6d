"""Who is to be started next: in order, when it is due, and nobody behind a child that is not ready yet."""

from __future__ import annotations

from asyncio import TimerHandle, get_running_loop
from collections.abc import Callable
from math import inf
from operator import attrgetter

from unlost._core.supervision._child import Child
from unlost._core.supervision._rules import Strategy

_in_order = attrgetter("index")


class Starts:
    """
    The children that wait for a start, and those that were started and are not ready.

    ``wake`` is called when the next of them is due.
    """

    def __init__(self, strategy: Strategy, wake: Callable[[], object]) -> None:
        self._children_depend = strategy != "one_for_one"
        self._wake: Callable[[], object] | None = wake
        self._loop = get_running_loop()
        self._waiting: dict[Child, None] = {}
        self._not_ready: set[Child] = set()
        self._timer: TimerHandle | None = None
        # a loop calls its timers up to its clock's resolution too early: who asks for the time then is not due yet
        self._reached = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, child: Child) -> None:
        """Let ``child`` wait for its start."""
        if child.starts:
            child.state = "backoff"
        self._waiting[child] = None

    def drop(self, child: Child) -> None:
        """Do not start ``child``, and wait for it no longer."""
        self._waiting.pop(child, None)
        self._not_ready.discard(child)

    def hold_until_ready(self, child: Child) -> None:
        """Start nobody behind ``child`` until it is ready, or dropped."""
        self._not_ready.add(child)

    def is_ready(self, child: Child) -> None:
        """Those behind ``child`` may start."""
        self._not_ready.discard(child)

    def take_due(self) -> list[Child]:
        """Return who may be started now, in order: those behind a child that turns out not to be ready are left."""
        now = max(self._reached, self._loop.time())
        wake_at = inf
        due: list[Child] = []
        for child in sorted(self._waiting, key=_in_order):
            if self._is_held(child):
                break
            if child.due <= now:
                due.append(child)
                if child.handshake:
                    break
                continue
            wake_at = min(wake_at, child.due)
            if self._children_depend:
                break
        for child in due:
            del self._waiting[child]
        self._set_timer(wake_at)
        return due

    def close(self) -> None:
        """Wait for nobody."""
        self._set_timer(inf)
        self._wake = None

    def _is_held(self, child: Child) -> bool:
        return any(starting.index < child.index for starting in self._not_ready)

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if when == inf else self._loop.call_at(when, self._ring, when)

    def _ring(self, when: float) -> None:
        self._timer = None
        self._reached = when
        if self._wake is not None:
            self._wake()
