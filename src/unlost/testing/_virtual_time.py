"""
A loop whose clock jumps to the next timer whenever nothing is ready: tests wait hours in no time.

After the mock clock of Trio, which does the same when all tasks wait.
"""

from __future__ import annotations

import asyncio
import selectors
from asyncio import AbstractEventLoop, Future, all_tasks
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar, TypeVarTuple

from unlost._core import where

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_SHOWN: Final = 10


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """
    Real callbacks, file descriptors and threads under a virtual clock, which starts at 0.

    Time passes only while nothing is ready, and then at once. It stands still while a call in an executor runs
    (``asyncio.to_thread``, a look-up of names), so that a limit of time around one fires in no test by chance. It does
    not for an answer from another process: a limit around that fires unless the answer is there already.

    Where nothing is ready, no timer is set, and nothing comes from outside either, the test would hang for ever: the
    loop stops with a ``RuntimeError`` that says which tasks wait, and where.

    Only ``loop.time()`` and what asyncio builds on it is virtual: ``time.monotonic()`` and ``time.sleep()`` are real.

    Attributes:
        patience: Seconds of real time that a thread or a file descriptor has for an answer when nothing else is left.
        thread_patience: Seconds of real time that calls in executors have, each time, before the clock jumps over them.
            0 is none: a test of what outlives its limit of time does not wait.
    """

    patience = 5.0
    thread_patience = 1.0

    def __init__(self) -> None:
        self._now = 0.0
        self._calls_in_threads = 0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Return the seconds of virtual time since the loop was made."""
        return self._now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> Future[T]:
        """Call ``func(*args)`` in a thread; virtual time waits for it, see ``thread_patience``."""
        called = super().run_in_executor(executor, func, *args)
        self._calls_in_threads += 1
        called.add_done_callback(self._call_ended)
        return called

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002  # not used
        """Wait for the threads, without limit: one of virtual time (``asyncio.Runner`` sets it) is over at once."""
        await super().shutdown_default_executor()

    def _call_ended(self, _called: Future[Any]) -> None:  # Any: calls of every result
        self._calls_in_threads -= 1

    def _real_seconds(self, timeout: float | None) -> float:
        """Return how long to wait for what comes from outside, where the next timer is due in ``timeout``."""
        if timeout is None:
            return self.patience
        return self.thread_patience if timeout > 0 and self._calls_in_threads else 0

    def _jump(self, timeout: float | None) -> None:
        """Nothing came: go on to the next timer."""
        if timeout is None:
            raise RuntimeError(hangs_after(self.patience, self))
        self._now += max(0.0, timeout)


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events: list[tuple[selectors.SelectorKey, int]] = super().select(self._loop._real_seconds(timeout))
        if not events:
            self._loop._jump(timeout)
        return events


def hangs_after(seconds: float, loop: AbstractEventLoop) -> str:
    """Say what is wrong with a test that so many seconds have shown nothing of, and where its tasks stand."""
    tasks = sorted(all_tasks(loop), key=lambda task: task.get_name())
    lines = [f"{task.get_name()} waits at {where(task)}" for task in tasks[:_SHOWN]]
    if len(tasks) > _SHOWN:
        lines.append(f"... and {len(tasks) - _SHOWN} more")
    said = f"nothing is ready, no timer is set, no thread answered within {seconds:g} s: this test hangs"
    return "\n  ".join([said, *lines])
