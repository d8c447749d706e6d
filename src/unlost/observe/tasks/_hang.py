"""Who waits for what, for a program that does not go on."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from asyncio import AbstractEventLoop, Task
from typing import Any, Final

from unlost.observe._redact import redact
from unlost.observe._text import encodable, type_name
from unlost.observe.tasks._died import every_task
from unlost.observe.tasks._ends import Ends
from unlost.observe.tasks._origin import name_of_coroutine, origin_of
from unlost.observe.tasks._standing import frames_of, standing
from unlost.observe.tasks._waits import waits_for

MOST: Final = 100


def hang_report(loop: AbstractEventLoop | None = None, ends: Ends | None = None) -> str:
    """
    Return a text that says of each pending task where it stands, for what it waits, and where it was started.

    It may be called from any thread and from a signal handler; what tasks do meanwhile may make it a little wrong.
    It runs no code of the program's, but for the ``repr`` of what it names.

    Args:
        loop: Only its tasks; None for those of all loops.
        ends: How tasks ended that are gone; ``watch_tasks(...).ends``.
    """
    ends = Ends() if ends is None else ends
    pending = [task for task in every_task() if not task.done() and (loop is None or _loop_of(task) is loop)]
    pending.sort(key=lambda task: (len(task.get_name()), task.get_name()))
    lines = [f"{len(pending)} pending {'task' if len(pending) == 1 else 'tasks'}, and what each waits for:"]
    for task in pending[:MOST]:
        lines += _lines_of(task, ends)
    if len(pending) > MOST:
        lines.append(f"and {len(pending) - MOST} more")
    return redact("\n".join([*lines, *_busy_threads(pending)])) + "\n"


def _lines_of(task: Task[Any], ends: Ends) -> list[str]:  # Any: tasks of every result
    head = f"task {encodable(task.get_name())!r}{name_of_coroutine(task)}"
    try:
        frames = frames_of(task)
        at = standing(frames)
        place = f", at {encodable(at.f_code.co_filename)}:{at.f_lineno} in {at.f_code.co_qualname}" if at else ""
        waits = "runs now" if _is_running(task) else f"waits for {waits_for(task, frames, ends)}"
        lines = [f"  {head}{place}", f"    {waits}"]
    except Exception as broken:  # named in the line: there are others to tell of  # noqa: BLE001
        return [f"  {head}", f"    cannot be read: {type_name(type(broken))}"]
    spawned = origin_of(task).spawned
    return lines + ([f"    started at {', by a task started at '.join(map(str, spawned[:3]))}"] if spawned else [])


def _loop_of(task: Task[Any]) -> AbstractEventLoop | None:  # Any: as above
    return task.get_loop()


def _is_running(task: Task[Any]) -> bool:  # Any: as above
    try:
        return asyncio.current_task(task.get_loop()) is task
    except RuntimeError:
        return False


def _busy_threads(pending: list[Task[Any]]) -> list[str]:  # Any: as above
    """Return where threads are whose loop is held up by a task that runs: a call that blocks."""
    running = [task for task in pending if _is_running(task)]
    thread = {getattr(task.get_loop(), "_thread_id", None) for task in running} - {None, threading.get_ident()}
    lines: list[str] = []
    for ident, frame in sys._current_frames().items():
        if ident in thread:
            lines += ["the thread of a loop does not come back from:"]
            lines += [encodable(line.rstrip()) for line in traceback.format_stack(frame)[-6:]]
    return lines
