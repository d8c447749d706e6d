"""Tasks that died while the program lives on, and that nobody has asked since, though something still holds them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final
from weakref import ref

from unlost.observe._leaving import line_of
from unlost.observe.tasks._origin import name_of_coroutine, origin_of
from unlost.observe.watch import Collector, Notice, is_inherited
from unlost.observe.watch._notice import DIED

_SETS: Final = ("_scheduled_tasks", "_all_tasks")  # 3.12 and 3.13; 3.11. Those that are done are in them, too.
_TRIES: Final = 100


class Died:
    """
    Looks at the tasks that have ended.

    Args:
        collector: Gets a notice, once for each.
        after: For how many seconds nobody may have asked.
    """

    def __init__(self, collector: Collector, after: float) -> None:
        self._collector = collector
        self._after = after
        self._seen: dict[ref[asyncio.Task[Any]], float] = {}  # Any: tasks of every result

    def look(self, now: float) -> None:
        """Look at all tasks; to be called every few seconds, from any thread."""
        failed = set()
        for task in each_task():
            if _is_unasked(task):
                failed.add(reference := ref(task))
                since = self._seen.setdefault(reference, now)
                if now - since >= self._after:
                    self._seen[reference] = float("inf")  # told
                    self._collector.note(_notice(task, now - since))
        for reference in [known for known in self._seen if known not in failed]:
            del self._seen[reference]


def every_task() -> list[asyncio.Task[Any]]:  # Any: as above
    """Return the tasks of all loops, those that are done as well; empty where asyncio keeps no such list."""
    return list(each_task())


def each_task() -> Iterator[asyncio.Task[Any]]:  # Any: as above
    """
    Yield the same, one after the other, for who looks from a thread of ours.

    Of all tasks at once that would hold the last reference to each one that is let go of meanwhile: what its end then
    calls, a loop's exception handler say, would run in that thread.
    """
    for reference in references():
        task = reference()
        if task is not None:
            yield task
            task = None  # before the next is looked for


def references() -> list[ref[asyncio.Task[Any]]]:  # Any: as above
    """Return asyncio's own references to the tasks of all loops; empty where it keeps no such list."""
    for name in _SETS:
        if (tasks := getattr(asyncio.tasks, name, None)) is not None:
            return _copied(tasks.data)
    return []


def _copied(listed: Any) -> list[Any]:  # Any: what is in asyncio's own weak set
    for _ in range(_TRIES):
        try:
            return list(listed)
        except RuntimeError:  # another thread changed it meanwhile: once more
            continue
    return []


def _is_unasked(task: asyncio.Task[Any]) -> bool:  # Any: as above
    if not task.done() or not getattr(task, "_log_traceback", False):
        return False
    task_error: BaseException | None = getattr(task, "_exception", None)
    return task_error is not None and not is_inherited(task_error)  # the parent tells of those


def _notice(task: asyncio.Task[Any], seconds: float) -> Notice:  # Any: as above
    origin = origin_of(task)
    error: BaseException | None = getattr(task, "_exception", None)
    what = f" of {line_of(error)}" if error is not None else ""
    text = (
        f"task {task.get_name()!r}{name_of_coroutine(task)} died {seconds:.0f} s ago{what}; it is still referred to, "
        "and nobody has asked for that so far"
    )
    return Notice(DIED, text, origin.spawned[0] if origin.spawned else None, origin)
