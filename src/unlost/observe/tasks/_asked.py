"""Tasks that are asked for their error after what had waited for them took it: what comes of that is not known."""

from __future__ import annotations

import asyncio
import sys
from types import FrameType
from typing import Any

from unlost._core.hooks import Task, Undo, on_lookup
from unlost.observe.tasks._guarded import guarded
from unlost.observe.watch import Collector, alive, taken_up


def note_asked(collector: Collector) -> Undo:
    """Note each look at ``Task.exception``, while an error is followed; faults of ours are counted."""
    return on_lookup(Task, "exception", guarded(collector, _asked), while_any=alive)


def _asked(task: asyncio.Task[Any]) -> None:  # Any: tasks of every result
    error: BaseException | None = getattr(task, "_exception", None)
    if error is not None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and f"{frame.f_globals.get('__package__')}.".startswith("unlost."):
            frame = frame.f_back
        if frame is not None:
            taken_up(error, (frame.f_code, frame.f_lasti))
