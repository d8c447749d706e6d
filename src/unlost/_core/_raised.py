"""What whoever awaits a child is told where there is no value."""

from __future__ import annotations

import sys
from asyncio import Task, current_task, get_running_loop
from types import TracebackType
from typing import Any, NoReturn

from unlost._core._caught import STOPPING
from unlost._core._outcome import Cancelled, Failure
from unlost._core._reraise import reraise
from unlost.errors import ChildCancelled, ChildFailed, UsageError, headline


def raise_to_waiter(outcome: Failure | Cancelled, what: str, traceback: TracebackType | None) -> NoReturn:
    """
    Raise the original exception, or ``ChildFailed`` or ``ChildCancelled`` from it.

    ``ChildFailed``: inside of an ``except`` or ``finally`` that handles another error, since Python would make that the
    original's context in place of its own (anyio#1098); and for ``SystemExit`` and ``KeyboardInterrupt``, which come
    out of the owner.

    Args:
        outcome: How the child ended.
        what: What messages call the child.
        traceback: The original's, as it was when the child ended: each await would add frames to those of the last.
    """
    try:
        if isinstance(outcome, Cancelled):
            why = outcome.reason or "no reason is known"
            raise ChildCancelled(f"{what} was cancelled: {why}") from outcome.error
        if sys.exception() is not None or isinstance(outcome.error, STOPPING):
            raise ChildFailed(f"{what} failed: {headline(outcome.error)}") from outcome.error
        BaseException.with_traceback(outcome.error, traceback)
        reraise(outcome.error)
    finally:
        del outcome, traceback  # the error's traceback refers to this frame


def check_waiter(handle: object, task: Task[Any]) -> None:  # Any: of every result
    """Refuse a wait that could not end: on another loop than the task's, or by the task itself."""
    if get_running_loop() is not task.get_loop():
        raise UsageError(
            f"{handle!r} was awaited on another event loop than its own.\n"
            "Write the await where it was started: a task can be awaited on its own loop only."
        )
    if current_task() is task:
        raise UsageError(f"{handle!r} awaits itself, and would wait for ever.\nReturn instead, or await another one.")
