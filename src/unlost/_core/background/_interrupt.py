"""Ctrl-C and SIGTERM: the first one asks the program to end, the second one says what still runs and ends it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from unlost._core._clock import monotonic
from unlost._core._hooks import end_by_signal
from unlost._core._report import tell
from unlost._core._site import site_of
from unlost._core._where import where

# A launcher that passes signals on (npm, uv) and the terminal itself may both send one for a single Ctrl-C.
_SAME_PRESS: Final = 0.1
_LISTED: Final = 20

WORDS: Final = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


class Interrupts:
    """
    The handler of both signals; it runs between two instructions of whatever the main thread does.

    Attributes:
        first: The first signal that came; None before.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, ask: Callable[[signal.Signals], object], threads: Callable[[], list[str]]
    ) -> None:
        self.first: signal.Signals | None = None
        self._asked_at = 0.0
        self._loop = loop
        self._ask = ask
        self._threads = threads

    def __call__(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number)
        if self.first is None:
            self.first, self._asked_at = name, monotonic()
            self._loop.call_soon_threadsafe(self._ask, name)
        elif monotonic() - self._asked_at > _SAME_PRESS:
            self._end_now(name, frame)

    def _end_now(self, name: signal.Signals, frame: FrameType | None) -> None:
        end_by_signal()  # first of all: a third one must not meet this handler again
        seconds = monotonic() - self._asked_at
        lines = [*self._tasks(frame), *self._threads()]
        if len(lines) > _LISTED:
            lines[_LISTED:] = [f"and {len(lines) - _LISTED} more"]
        head = f"unlost: {WORDS.get(name, name.name)} again, ending at once; the first was {seconds:.1f} s ago"
        tell("".join(f"{line}\n" for line in [head, *(f"  {line}" for line in lines)]))
        _flush_output()
        signal.raise_signal(name)

    def _tasks(self, frame: FrameType | None) -> list[str]:
        held_by = asyncio.current_task(self._loop)
        tasks = sorted(asyncio.all_tasks(self._loop), key=asyncio.Task.get_name)
        return [_line(task, frame if task is held_by else None) for task in tasks]


def _line(task: asyncio.Task[Any], frame: FrameType | None) -> str:  # Any: of every result
    asked = ", cancellation requested" if task.cancelling() else ""
    if frame is None:
        return f"task {task.get_name()!r}{asked}, still running at {where(task)}"
    return f"task {task.get_name()!r}{asked}, holds the event loop at {site_of(frame)}"


def _flush_output() -> None:
    """Write what the program printed so far: the signal ends the process without."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except (OSError, ValueError, RuntimeError):  # nobody reads, or the signal came in the middle of a print
            return
