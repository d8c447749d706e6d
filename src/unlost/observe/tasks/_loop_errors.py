"""What event loops have to say of errors."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Task
from collections.abc import Callable
from typing import Any, Final

from unlost.observe._leaving import line_of
from unlost.observe.tasks._ends import Ends
from unlost.observe.tasks._origin import closes_a_generator, name_of_coroutine, origin_of
from unlost.observe.tasks._told import LogRecords
from unlost.observe.watch import (
    DESTROYED,
    LOOP_ERROR,
    Collector,
    Notice,
    is_reported,
    never_retrieved,
    reported,
    site_of,
    spots_of,
)

_NEVER_RETRIEVED: Final = " exception was never retrieved"
_HANDLER: Final = "the event loop's exception handler"
_CLOSING: Final = "an async generator that was left early"
_DESTROYED: Final = "Task was destroyed but it is pending!"


class LoopErrors:
    """Looks at each context that a loop gives to its exception handler, which is called as ever."""

    def __init__(self, collector: Collector, records: LogRecords, ends: Ends) -> None:
        self._collector = collector
        self._records = records
        self._ends = ends

    def around(self, call: Callable[[], object], _loop: AbstractEventLoop, context: dict[str, Any]) -> None:
        """Look, and call the loop's own. Any: whatever it puts in there."""
        error = None
        try:
            error = self._look(context)
        except Exception as fault:  # counted: the loop's own has to be called  # noqa: BLE001
            self._collector.fault(fault)
        if error is None:
            call()
            return
        # what asyncio logs here is no report of its own: it says that an error was lost, when it was too late, or is
        # all that the loop's handler does about it
        try:
            with self._records.of_what_is_lost():
                call()
        finally:
            self._tell(error, context)

    def _look(self, context: dict[str, Any]) -> BaseException | None:  # Any: as above
        """Return the error that this is about, unless somebody was told of that before."""
        message, error = str(context.get("message") or ""), context.get("exception")
        if message == _DESTROYED and isinstance(task := context.get("task"), Task):
            self._collector.note(_destroyed(task))
        if not isinstance(error, BaseException):
            return None
        if message.endswith(_NEVER_RETRIEVED):
            if isinstance(task := context.get("future") or context.get("task"), Task):
                self._ends.failed(task, error)
            never_retrieved(error, _CLOSING if closes_a_generator(task) else "")
            return error
        if is_reported(error):
            reported(error, _HANDLER)
            return None
        return error

    def _tell(self, error: BaseException, context: dict[str, Any]) -> None:  # Any: as above
        """Note what nobody but the handler was told of."""
        try:
            message = str(context.get("message") or "")
            if message.endswith(_NEVER_RETRIEVED):
                return
            is_only_there = not is_reported(error)
            reported(error, _HANDLER)
            if is_only_there:
                self._collector.note(_only_there(error, message, context.get("task") or context.get("future")))
        except Exception as fault:  # counted: this is somebody's loop  # noqa: BLE001
            self._collector.fault(fault)


def _only_there(error: BaseException, message: str, future: object) -> Notice:
    sites = [site_of(spot) for spot in spots_of(error.__traceback__)]
    own = [site for site in sites if site.app]
    origin = origin_of(future) if isinstance(future, Task) else None
    said = " ".join(message.split()) or "without a message"
    text = f"{line_of(error)}: only {_HANDLER} was told ({said})"
    return Notice(LOOP_ERROR, text, own[-1] if own else sites[-1] if sites else None, origin)


def _destroyed(task: Task[Any]) -> Notice:  # Any: as above
    origin = origin_of(task)
    name = name_of_coroutine(task)
    text = f"task {task.get_name()!r}{name} was destroyed while it was pending: nothing referred to it any more"
    return Notice(DESTROYED, text, origin.spawned[0] if origin.spawned else None, origin)
