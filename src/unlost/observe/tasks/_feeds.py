"""Which tasks put into a queue, so that a hang can say what became of them."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from weakref import ref

from unlost._core.hooks import Undo, on_lookup
from unlost.observe._leaving import in_line, line_of
from unlost.observe.tasks._ends import Ends
from unlost.observe.tasks._guarded import guarded
from unlost.observe.tasks._origin import task_here
from unlost.observe.watch import Collector

KEY: Final = "_unlost_fed_by"
MOST: Final = 16


class _Feeder:
    __slots__ = ("name", "number", "task")

    def __init__(self, task: asyncio.Task[Any]) -> None:  # Any: tasks of every result
        self.task = ref(task)
        self.number = id(task)
        self.name = task.get_name()  # of an eager one not yet the one that it was given


class _Feeders:
    """Those who put into one queue; it hangs in the queue itself, and goes with it."""

    __slots__ = ("all", "last", "others")

    def __init__(self) -> None:
        self.all: dict[ref[asyncio.Task[Any]], _Feeder] = {}  # Any: as above
        self.last: ref[asyncio.Task[Any]] | None = None  # Any: as above
        self.others = 0

    def add(self, task: asyncio.Task[Any]) -> None:  # Any: as above
        if self.last is not None and self.last() is task:
            return
        self.last = ref(task)
        if self.last not in self.all:
            if len(self.all) < MOST:
                self.all[self.last] = _Feeder(task)
            else:
                self.others += 1


def note_feeders(collector: Collector) -> Undo:
    """Note the task that runs whenever something is put into an ``asyncio.Queue``; faults of ours are counted."""
    return on_lookup(asyncio.Queue, "put_nowait", guarded(collector, _fed))


def _fed(queue: asyncio.Queue[Any]) -> None:  # Any: of every item
    task = task_here()
    if task is not None:
        feeders = queue.__dict__.get(KEY)
        if feeders is None:
            feeders = queue.__dict__[KEY] = _Feeders()
        feeders.add(task)


def fed_by(queue: object, ends: Ends) -> str:
    """Say who has put into a queue and what became of them; empty where nobody was seen to."""
    feeders = getattr(queue, KEY, None)
    if not isinstance(feeders, _Feeders):
        return ""
    said = [_became(one, ends) for one in feeders.all.values()]
    if len(said) == 1 and not feeders.others:
        return f"the only task that fed it, {said[0]}"
    more = f"; and {feeders.others} more" if feeders.others else ""
    return f"the tasks that fed it: {'; '.join(said)}{more}"


def _became(feeder: _Feeder, ends: Ends) -> str:
    task = feeder.task()
    if task is None:
        end = ends.of(feeder.task, feeder.number)
        return f"{end[0]!r}, died of {in_line(end[1])}" if end else f"{feeder.name!r}, has ended"
    return f"{task.get_name()!r}, {_is(task)}"


def _is(task: asyncio.Task[Any]) -> str:  # Any: as above
    if not task.done():
        return "still runs"
    if task.cancelled():
        return "was cancelled"
    error = getattr(task, "_exception", None)  # exception() would silence asyncio
    return f"died of {line_of(error)}" if error is not None else "has ended"
