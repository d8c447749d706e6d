"""Those who were asked to stop and do not: said aloud, with where they stand instead."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Task, TimerHandle
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakSet

from unlost._core._events import Event, emit
from unlost._core._report import tell
from unlost._core._where import still_running, where

PATIENCE: Final = 10.0  # seconds: above what a well-behaved cleanup takes, below what an operator waits for


@dataclass(frozen=True, slots=True)
class StillRunning(Event):
    """
    A task was cancelled and runs on.

    Attributes:
        name: The task's.
        seconds: Since the cancellation was asked for.
        where: ``file.py:12 in function``, where it is suspended.
    """

    name: str
    seconds: float
    where: str


# Those that somebody left behind, and said so.
_told: WeakSet[Task[Any]] = WeakSet()  # Any: of every result


def tell_of(task: Task[Any], seconds: float, text: str) -> None:  # Any: as above
    """Say of a task that it does not stop, with an event and on standard error."""
    mark_as_told(task)
    emit(StillRunning(task.get_name(), seconds, where(task)))
    tell(text)


def mark_as_told(task: Task[Any]) -> None:  # Any: as above
    """Know that it was said, in other words."""
    _told.add(task)


def was_told_of(task: Task[Any]) -> bool:  # Any: as above
    """Tell whether that was said."""
    return task in _told


class Watch:
    """
    Tells of tasks that do not stop: after ``PATIENCE`` seconds, and again each time the wait has doubled.

    Each is an event, and a line on standard error.
    """

    __slots__ = ("_asked_at", "_loop", "_running", "_timer")

    def __init__(self, loop: AbstractEventLoop, running: Callable[[], Collection[Task[Any]]]) -> None:  # Any: see start
        self._loop = loop
        self._running = running
        self._asked_at = loop.time()
        self._timer: TimerHandle = loop.call_later(PATIENCE, self._look, PATIENCE)

    def stop(self) -> None:
        """Everything stopped."""
        self._timer.cancel()
        self._running = tuple  # who waited may hold this watch: no cycle

    def _look(self, waited: float) -> None:
        seconds = self._loop.time() - self._asked_at
        for task in self._running():
            if not task.done():
                tell_of(task, seconds, f"unlost: {still_running(task, seconds)}\n")
        self._timer = self._loop.call_later(waited, self._look, 2 * waited)
