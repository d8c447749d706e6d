"""Where a suspended task stands."""

from __future__ import annotations

import os
from asyncio import Task
from types import FrameType
from typing import Any

_FRAMES = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")


def where(task: Task[Any]) -> str:  # Any: tasks of every result
    """Return ``file.py:12 in function`` of the innermost frame outside of asyncio that the task is suspended in."""
    innermost = _innermost(task)
    if innermost is None:
        return "an unknown place"
    code = innermost.f_code
    return f"{os.path.basename(code.co_filename)}:{innermost.f_lineno} in {code.co_qualname}"


def waits_in_unlost(task: Task[Any]) -> bool:  # Any: as above
    """Tell whether the task waits in a bounded end of ours: what does not stop there is named by that."""
    innermost = _innermost(task)
    return innermost is not None and str(innermost.f_globals.get("__name__")).startswith("unlost._core.")


def still_running(task: Task[Any], seconds: float) -> str:  # Any: as above
    """Say that a task has been asked to stop so many seconds ago, and where it is instead."""
    return f"task {task.get_name()!r}: cancellation requested {seconds:.1f} s ago, still running at {where(task)}"


def _innermost(task: Task[Any]) -> FrameType | None:  # Any: as above
    """Return the innermost frame outside of asyncio; one inside where there is no other, None where there is none."""
    if task.done():  # and 3.12.1 crashes on get_coro() of an eager one that never suspended
        return None
    innermost: FrameType | None = None
    at: object = task.get_coro()
    while at is not None:
        frame: FrameType | None = _first(at, _FRAMES)
        if frame is not None and (innermost is None or not _is_asyncio(frame)):
            innermost = frame
        at = _first(at, _AWAITED)
    return innermost


def _is_asyncio(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "asyncio"


def _first(holder: object, names: tuple[str, ...]) -> Any:  # Any: a frame, or whatever can be awaited
    for name in names:
        found = getattr(holder, name, None)
        if found is not None:
            return found
    return None
