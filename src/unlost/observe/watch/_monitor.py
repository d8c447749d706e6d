"""
What the interpreter says of exceptions, from 3.12 on: a handler was entered, it let go, a frame was left.

Callbacks run inside of other people's code: none lets an error of its own out, and while one runs what it raises and
handles itself is not looked at. They cost what they do in each frame that an exception crosses, so they give up as
soon as there is nothing to learn.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio import CancelledError
from threading import get_ident
from types import CodeType, FrameType
from typing import Final

from unlost.observe.watch._collector import Collector
from unlost.observe.watch._handlers import Handler, handlers_of
from unlost.observe.watch._matching import clause_for
from unlost.observe.watch._tracker import Tracker, tracked, tracker_of
from unlost.observe.watch._verdict import Origin, Verdict
from unlost.observe.watch._waiters import waiter_of

_COROUTINE: Final = 0x80  # inspect.CO_COROUTINE
_NOBODYS: Final = (StopIteration, StopAsyncIteration, GeneratorExit, KeyboardInterrupt, SystemExit)
_CARRIERS: Final = frozenset({"_WorkItem.run", "_process_worker"})  # of concurrent.futures: handed over, not handled


class Monitor:
    """The callbacks; ``_core`` registers them."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._codes: dict[int, tuple[CodeType, dict[int, Handler]]] = {}
        self._inside: set[int] = set()

    def handled(self, code: CodeType, offset: int, error: BaseException) -> None:
        """A handler was entered."""
        known = self._codes.get(id(code))
        if known is None:
            known = self._learn(code)
        handler = known[1].get(offset)
        if handler is None or isinstance(error, _NOBODYS):
            return
        thread = get_ident()
        if thread in self._inside:
            return
        self._inside.add(thread)
        try:
            self._handled(code, handler, error, sys._getframe(1))
        except Exception as fault:  # counted: it must not come out of the user's code  # noqa: BLE001
            self._collector.fault(fault)
        finally:
            self._inside.discard(thread)

    def reraised(self, code: CodeType, _offset: int, error: BaseException) -> None:
        """A handler let go of what it had."""
        try:
            tracker = tracker_of(error)
            if tracker is not None:
                tracker.went_on(code)
        except Exception as fault:  # as above  # noqa: BLE001
            self._collector.fault(fault)

    def unwound(self, code: CodeType, _offset: int, error: BaseException) -> None:
        """An exception leaves a frame."""
        context = error.__context__
        if context is None and not code.co_flags & _COROUTINE:
            return
        thread = get_ident()
        if thread in self._inside:
            return
        self._inside.add(thread)
        try:
            if context is not None:
                self._converted(context, code, -1)
            if code.co_flags & _COROUTINE and not isinstance(error, (*_NOBODYS, CancelledError)):
                self._leaves(error, sys._getframe(1))
        except Exception as fault:  # as above  # noqa: BLE001
            self._collector.fault(fault)
        finally:
            self._inside.discard(thread)

    def _learn(self, code: CodeType) -> tuple[CodeType, dict[int, Handler]]:
        try:
            handlers = {} if code.co_qualname in _CARRIERS else handlers_of(code)
        except Exception as fault:  # as above  # noqa: BLE001
            self._collector.fault(fault)
            handlers = {}
        known = self._codes[id(code)] = (code, handlers)  # with the code: else its id could be another's
        return known

    def _handled(self, code: CodeType, handler: Handler, error: BaseException, frame: FrameType) -> None:
        if (context := error.__context__) is not None:
            self._converted(context, code, handler.depth)
        clause = clause_for(handler, error, frame)
        if clause is None or isinstance(error, CancelledError):
            return
        swallows = clause.broad and not clause.used
        tracker = tracked(error, self._collector) if swallows else tracker_of(error)
        if tracker is None:
            return
        tracker.entered(code, clause.line, handler.depth, swallows=swallows, error=error)
        self._members(error, tracker)

    def _members(self, error: BaseException, tracker: Tracker) -> None:
        """What becomes of a group becomes of its members."""
        if not isinstance(error, BaseExceptionGroup):
            return
        for member in error.exceptions:
            if (known := tracker_of(member)) is not None and not known.is_final:
                known.state, known.code, known.by = tracker.state, tracker.code, tracker.by
            self._members(member, tracker)

    def _converted(self, context: BaseException, code: CodeType, depth: int) -> None:
        """An exception that came up while a handler had ``context`` is now further out than that handler."""
        tracker = tracker_of(context)
        if tracker is not None and tracker.code is code and depth <= tracker.depth:
            tracker.settle(Verdict.CONVERTED)

    def _leaves(self, error: BaseException, frame: FrameType) -> None:
        if asyncio._get_running_loop() is None:
            return
        task = asyncio.current_task()
        if task is None:
            return
        coroutine = task.get_coro()
        if getattr(coroutine, "cr_frame", None) is not frame:
            return
        tracker = tracked(error, self._collector)
        waiter = waiter_of(task)
        tracker.left(Origin(task.get_name()), waiter.by, waiter.state, error)


@contextlib.contextmanager
def monitored(monitor: Monitor):
    mon = sys.monitoring
    tool = 4
    mon.use_tool_id(tool, "unlost")
    e = mon.events
    mon.register_callback(tool, e.EXCEPTION_HANDLED, monitor.handled)
    mon.register_callback(tool, e.RERAISE, monitor.reraised)
    mon.register_callback(tool, e.PY_UNWIND, monitor.unwound)
    mon.set_events(tool, e.EXCEPTION_HANDLED | e.RERAISE | e.PY_UNWIND)
    try:
        yield
    finally:
        mon.set_events(tool, 0)
        mon.free_tool_id(tool)
