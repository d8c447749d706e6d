"""
The default executor of ``run``: threads that cannot keep the process from ending.

The standard library's executor joins its threads when the interpreter exits, without a bound: one that is stuck holds
the process for ever (cpython#111358). Here they are daemons; ``shutdown`` waits for them, up to a bound, and whoever
outlives it is named. Only what ``ThreadPoolExecutor`` makes public is overridden: ``loop.set_default_executor`` takes
nothing else.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Semaphore, Thread, current_thread
from typing import Any, ParamSpec, TypeVar

from unlost._core._clock import monotonic
from unlost._core._report import report
from unlost._core._site import name_of, site_of

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class _Job:
    future: Future[Any]  # Any, here and below: calls of every sort
    call: Callable[[], Any]
    name: str


class Threads(ThreadPoolExecutor):
    """
    At most ``limit`` daemon threads, each started when there is work that no idle one takes.

    Args:
        limit: 1 or more; by default what the standard library's has.
        patience: Seconds that ``shutdown`` waits for calls that run.
    """

    def __init__(self, limit: int | None = None, patience: float = 5.0) -> None:
        super().__init__()  # it starts its own threads in submit(), which is ours
        self._limit = limit or min(32, (os.cpu_count() or 1) + 4)
        self._patience = patience
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = Semaphore(0)
        self._lock = Lock()
        self._busy: dict[Thread, str] = {}
        self._workers: list[Thread] = []
        self._is_shut = self._is_given_up = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call ``fn`` in a thread."""
        with self._lock:
            if self._is_shut:
                raise RuntimeError("cannot schedule new futures after shutdown")
            future: Future[T] = Future()
            self._jobs.put(_Job(future, partial(fn, *args, **kwargs), _called(fn)))
            if not self._idle.acquire(blocking=False) and len(self._workers) < self._limit:
                self._hire()
            return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more; let the threads end when the queue is empty; wait for that, up to the bound."""
        with self._lock:
            is_first, self._is_shut = not self._is_shut, True
        if cancel_futures:
            self._cancel_waiting()
        if is_first or cancel_futures:
            self._jobs.put(None)
        if not wait or self._is_given_up:
            return
        end = monotonic() + self._patience
        for worker in self._workers:
            worker.join(None if end == math.inf else max(0.0, end - monotonic()))
        self._is_given_up = True

    def still_running(self) -> list[str]:
        """Return a line for each thread that is busy: what it was called for, and where it is."""
        frames = sys._current_frames()
        lines = []
        for worker, name in self._busy.copy().items():
            frame = frames.get(worker.ident or 0)
            # where the innermost frame is ours, it is in something that is not written in Python
            is_inside = frame is not None and frame.f_globals.get("__name__") != __name__
            at = f" at {site_of(frame)}" if frame is not None and is_inside else ""
            lines.append(f"thread {worker.name!r}, called for {name}(), still running{at}")
        return lines

    def _hire(self) -> None:
        worker = Thread(target=self._work, name=f"unlost-{len(self._workers)}", daemon=True)
        self._workers.append(worker)
        worker.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._run(job)
            del job  # a worker that waits must not keep it alive
            self._idle.release()
        self._jobs.put(None)  # for the next one

    def _run(self, job: _Job) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        worker = current_thread()
        self._busy[worker] = job.name
        try:
            value = job.call()
        except BaseException as error:  # handed on  # noqa: BLE001
            if self._is_given_up:
                report(error, f"{job.name}, in thread {worker.name!r}, failed after its program had ended")
            else:
                job.future.set_exception(error)
        else:
            if not self._is_given_up:  # the loop that would be told is closed
                job.future.set_result(value)
        finally:
            del self._busy[worker], job

    def _cancel_waiting(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            if job is not None:
                job.future.cancel()


def _called(fn: object) -> str:
    """Return the user's name for what is called: ``asyncio.to_thread`` wraps it in a partial of ``Context.run``."""
    if isinstance(fn, partial) and isinstance(getattr(fn.func, "__self__", None), Context) and fn.args:
        fn = fn.args[0]
    return name_of(fn)
