"""The end of a loop, each step bounded: remaining tasks, async generators, threads. What does not stop is said."""

from __future__ import annotations

import asyncio
import threading
from asyncio import AbstractEventLoop, CancelledError, Task
from collections.abc import Collection, Coroutine
from contextvars import copy_context
from types import AsyncGeneratorType
from typing import Any

from unlost._core._caught import STOPPING, failure_of
from unlost._core._reason import asked_now
from unlost._core._report import report, tell
from unlost._core._site import Site
from unlost._core._stubborn import was_told_of
from unlost._core._tasks import start
from unlost._core._where import still_running
from unlost._core.background._threads import Threads


async def cancel_rest(loop: AbstractEventLoop, stop_within: float, given_up: Collection[Task[Any]]) -> None:
    """Cancel all tasks but this one, also those that they start meanwhile; report what they raise."""
    asked: dict[Task[Any], None] = {}  # Any, here and below: tasks of every result; in order, where a set has none
    began = loop.time()
    while fresh := _others(loop, {*asked, *given_up}):
        for task in fresh:
            task.cancel(asked_now("the program ends", "unlost.run"))
        asked.update(fresh)
        pending = [task for task in asked if not task.done()]
        await _wait(pending, began + stop_within - loop.time())
    seen: set[int] = set()
    for task in asked:
        if not task.done():
            if not was_told_of(task):
                tell(f"unlost: {still_running(task, loop.time() - began)}\n")
        elif (error := _error_of(task)) is not None:
            # one that awaited another raises the very same object; what stops everything came out of the loop
            if id(error) not in seen and not isinstance(error, STOPPING):
                report(error, f"task {task.get_name()!r} failed while the program was ending")
            seen.add(id(error))


def _error_of(task: Task[Any]) -> BaseException | None:  # Any: of every result
    if not task.cancelled():
        return task.exception()
    try:
        task.result()
    except CancelledError as cancellation:
        return failure_of(cancellation)
    return None


async def close_generators(loop: AbstractEventLoop, stop_within: float) -> None:
    """Close the async generators that were left half-way; the loop reports what they raise."""
    # private, the public call forgets them first; a loop without it (uvloop) leaves them unnamed
    generators: list[AsyncGeneratorType[Any, Any]] = list(getattr(loop, "_asyncgens", ()))
    if await _is_done_in_time(loop.shutdown_asyncgens(), "closing async generators", stop_within):
        return
    for generator in generators:
        if (frame := generator.ag_frame) is not None:
            site = Site(frame.f_code, frame.f_lineno)
            tell(f"unlost: async generator: asked to close {stop_within:.1f} s ago, still running at {site}\n")
    if not generators:
        tell(f"unlost: an async generator was asked to close {stop_within:.1f} s ago and is still running\n")


async def end_threads(loop: AbstractEventLoop, threads: Threads, patience: float) -> None:
    """Wait for the calls that run in the default executor."""
    # ours keeps the bound by itself; one that the program has set may not
    if not await _is_done_in_time(loop.shutdown_default_executor(), "ending the default executor", patience + 1.0):
        for thread in threading.enumerate():
            if not thread.daemon and thread is not threading.current_thread():
                tell(f"unlost: thread {thread.name!r} is still running, and the process cannot end before it does\n")
    for line in threads.still_running():
        tell(f"unlost: {line}; it is abandoned\n")


async def _is_done_in_time(step: Coroutine[Any, Any, object], name: str, seconds: float) -> bool:
    task = start(step, name=f"unlost.run: {name}", context=copy_context(), on_end=_report_failure)
    await _wait([task], seconds)
    return task.done()


async def _wait(tasks: list[Task[Any]], seconds: float) -> None:
    """Wait for all, so many seconds at most, whoever cancels this meanwhile: one of them may cancel all there are."""
    time = asyncio.get_running_loop().time
    end = time() + seconds
    while pending := [task for task in tasks if not task.done()]:
        left = end - time()
        if left <= 0:
            await asyncio.sleep(0)  # what was just cancelled has its moment, however late it is
            return
        try:
            await asyncio.wait(pending, timeout=None if left == float("inf") else left)
        except CancelledError:  # not raised: everything is being stopped already, and each wait is bounded
            continue


def _others(loop: AbstractEventLoop, known: Collection[Task[Any]]) -> dict[Task[Any], None]:
    current = asyncio.current_task()
    found = [task for task in asyncio.all_tasks(loop) if task is not current and task not in known]
    return dict.fromkeys(sorted(found, key=Task.get_name))


def _report_failure(task: Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        report(error, f"{task.get_name()} failed")
