"""What event loops have to say of errors."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Task
from collections.abc import Callable
from typing import Any, Final

from unlost.observe.tasks._ends import Ends
from unlost.observe.tasks._origin import name_of_coroutine, origin_of
from unlost.observe.tasks._told import LogRecords
from unlost.observe.watch import Collector, Notice, never_retrieved, reported
from unlost.observe.watch._notice import DESTROYED

_NEVER_RETRIEVED: Final = " exception was never retrieved"
_DESTROYED: Final = "Task was destroyed but it is pending!"


class LoopErrors:
    """Looks at each context that a loop gives to its exception handler, which is called as ever."""

    def __init__(self, collector: Collector, records: LogRecords, ends: Ends) -> None:
        self._collector = collector
        self._records = records
        self._ends = ends

    def around(self, call: Callable[[], object], _loop: AbstractEventLoop, context: dict[str, Any]) -> None:
        """Look, and call the loop's own. Any: whatever it puts in there."""
        is_lost = False
        try:
            is_lost = self._look(context)
        except Exception as fault:  # counted: the loop's own has to be called  # noqa: BLE001
            self._collector.fault(fault)
        if is_lost:
            with self._records.of_what_is_lost():
                call()
        else:
            call()

    def _look(self, context: dict[str, Any]) -> bool:  # Any: as above
        """Return whether this says that an error was lost."""
        message, error = str(context.get("message") or ""), context.get("exception")
        if message == _DESTROYED and isinstance(task := context.get("task"), Task):
            self._collector.note(_destroyed(task))
        if not isinstance(error, BaseException):
            return False
        if message.endswith(_NEVER_RETRIEVED):
            if isinstance(task := context.get("future") or context.get("task"), Task):
                self._ends.failed(task, error)
            never_retrieved(error)
            return True
        reported(error, "the event loop's exception handler")
        return False


def _destroyed(task: Task[Any]) -> Notice:  # Any: as above
    origin = origin_of(task)
    name = name_of_coroutine(task)
    text = f"task {task.get_name()!r}{name} was destroyed while it was pending: nothing referred to it any more"
    return Notice(DESTROYED, text, origin.spawned[0] if origin.spawned else None, origin)
