"""
What the interpreter says of exceptions, from 3.12 on: one came up in a frame, or a handler let go of what it had.

Two events are enough. ``RAISE`` comes once for each frame, ``RERAISE`` when a handler lets go; what covers the place of
either is the handler that is entered next. What leaves a handler by being raised does so through a cleanup block of the
compiler's, and what leaves a coroutine through the block that minds ``StopIteration``: both let go with a ``RERAISE``,
whose place tells how far out the exception is by then. Neither comes for what ``close()`` raises in a generator whose
inner one ignores ``GeneratorExit``.

``EXCEPTION_HANDLED`` would say the same, and only where there is a handler. But where no room is left to call what is
registered for that, the interpreter raises in its place, at the instruction before the handler: if its ``try`` covers
that, it enters the same handler again, for ever (CPython 3.12.1, 3.13.0). What it cannot call for ``RAISE`` or
``RERAISE`` only puts a ``RecursionError`` in the place of the exception, which goes on to its handler.

The callbacks run inside of other people's code: none lets an error of its own out. While one runs, the interpreter
tells nothing of what it raises and handles itself, nor of what the exceptions' own ``__str__`` does. They run at each
handler that an exception enters, so the way out for what is nothing to us comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import traceback
from asyncio import CancelledError
from types import CodeType, FrameType
from typing import Any, Final

from unlost.errors._private import KEY
from unlost.observe.watch._alive import alive
from unlost.observe.watch._cancelled import (
    cancellation_entered,
    cancellation_is_in,
    cancellation_passes,
    cancellation_went_on,
)
from unlost.observe.watch._clause import Clause, Handler
from unlost.observe.watch._codes import LEAVES, Codes
from unlost.observe.watch._collector import NO_ROOM, Collector
from unlost.observe.watch._matching import clause_for
from unlost.observe.watch._named import asks_by_variable, catches_everything
from unlost.observe.watch._pythons import is_pythons, never_left_python
from unlost.observe.watch._tracked import attributes_of, beneath, follow, leave, leaves_of, tracked, tracker_of
from unlost.observe.watch._verdict import Verdict
from unlost.observe.watch._waiters import NOBODY, UNHEARD, Waiter, waiter_of

NOBODYS: Final = (StopIteration, StopAsyncIteration, GeneratorExit, KeyboardInterrupt, SystemExit)
"""They steer a program, and are nobody's loss."""

_ALWAYS: Final = (CancelledError, BaseExceptionGroup)

SUPPRESS: Final = contextlib.suppress.__exit__.__code__
FORMATS: Final = traceback.TracebackException.__init__.__code__

# looked up once: they are asked for at each handler, and at each frame of a coroutine
_id = id
_alive = alive
_attributes_of = attributes_of
_running_loop = asyncio._get_running_loop
_current_task = asyncio.current_task
_UNKNOWN: Final = Verdict.UNKNOWN


class Monitor:
    """
    The callbacks, for ``_core`` to register.

    Attributes:
        hears_loops: Whether it is noted when a loop says that a task died and nobody had asked.
    """

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._codes = Codes()
        self._entered = self._codes.entered
        self.hears_loops = False

    def collect_into(self, collector: Collector) -> None:
        """Let what is born from now on be for another collector."""
        self._collector = collector

    def raised(self, code: CodeType, offset: int, error: BaseException) -> None:
        """It came up in a frame, by itself or out of what that calls."""
        # each await of a future comes here with a StopIteration; code that has no handler is not kept for it
        if type(error) is StopIteration or not code.co_exceptiontable:
            return
        try:
            try:
                handler = self._entered[_id(code) + offset]
            except KeyError:
                handler = self._codes.entered_at(code, offset, sys._getframe(1))
            if handler is None:
                return
            if handler is LEAVES:
                if (task := _task_of(code)) is not None:
                    self._leaves(task, error, sys._getframe(1))
            elif not handler.narrow:
                self._enters(handler, code, error, sys._getframe(1))
            elif _alive and (KEY in _attributes_of(error) or error.__cause__ is not None):  # the most frequent by far
                self._handled(code, handler, error, sys._getframe(1))
        except RecursionError:  # counted as well, by no call: there is no room for one
            faults = self._collector.faults
            faults[NO_ROOM] = faults.get(NO_ROOM, 0) + 1
        except Exception as fault:  # counted: it must not come out of the user's code  # noqa: BLE001
            self._collector.fault(fault)

    def reraised(self, code: CodeType, offset: int, error: BaseException) -> None:
        """A handler let go of what it had, to the next one of its frame or out of that."""
        try:
            if _alive and (error.__context__ is not None or (KEY in _attributes_of(error) and not _goes_on(error))):
                self._reraised(code, self._codes.depth_at(code, offset), error, sys._getframe(1))
            try:
                handler = self._entered[_id(code) + offset]
            except KeyError:
                handler = self._codes.entered_at(code, offset, sys._getframe(1))
            if handler is not None:
                self._enters(handler, code, error, sys._getframe(1))
        except RecursionError:  # as above
            faults = self._collector.faults
            faults[NO_ROOM] = faults.get(NO_ROOM, 0) + 1
        except Exception as fault:  # as above  # noqa: BLE001
            self._collector.fault(fault)

    def returned(self, code: CodeType, _offset: int, value: object) -> None:
        """``contextlib.suppress.__exit__`` (the code) returned, or what takes down a traceback."""
        if value is not True and code is not FORMATS:
            return
        try:
            frame = sys._getframe(1)
            if code is FORMATS:
                self._shown(frame.f_locals.get("exc_value"))
            elif frame.f_code is code and frame.f_back is not None:
                self._suppressed(frame, frame.f_back)
        except RecursionError:  # as above
            faults = self._collector.faults
            faults[NO_ROOM] = faults.get(NO_ROOM, 0) + 1
        except Exception as fault:  # as above  # noqa: BLE001
            self._collector.fault(fault)

    def _enters(self, handler: Handler, code: CodeType, error: BaseException, frame: FrameType) -> None:
        if handler is LEAVES:
            if (task := _task_of(code)) is not None:
                self._leaves(task, error, frame)
        elif (
            not handler.plain
            or isinstance(error, _ALWAYS)
            or (_alive and (error.__cause__ is not None or KEY in _attributes_of(error)))
        ):
            self._handled(code, handler, error, frame)

    def _handled(self, code: CodeType, handler: Handler, error: BaseException, frame: FrameType) -> None:
        if isinstance(error, NOBODYS):
            return
        if isinstance(error, BaseExceptionGroup):
            cancellation_is_in(error)
        if handler.tidies:
            if isinstance(error, CancelledError):
                cancellation_passes(error, frame, handler.depth, self._collector)
            return
        if error.__cause__ is not None:
            self._convert_cause(error)
        if handler.carrier:
            for leaf in leaves_of(error):
                tracked(leaf, self._collector).handed_over(Waiter(handler.carrier, Verdict.LOST), leaf)
            return
        if not handler.clauses:
            self._enter_with(code, handler, error, frame)
            return
        if isinstance(error, CancelledError):
            clause = clause_for(handler, error, frame)
            if clause is not None and clause.ends:
                cancellation_entered(error, frame, clause.line, handler.depth, clause.loops, self._collector)
            elif clause is not None:
                cancellation_passes(error, frame, handler.depth, self._collector)
            return
        if isinstance(error, BaseExceptionGroup):
            follow(error)
        for leaf in leaves_of(error):
            # what except* tries is each member, any other clause the group
            clause = clause_for(handler, leaf if handler.groups else error, frame)
            if clause is not None:
                self._enter(code, handler, clause, leaf, frame)

    def _enter(self, code: CodeType, handler: Handler, clause: Clause, error: BaseException, frame: FrameType) -> None:
        takes_all = clause.swallows or (clause.varies and catches_everything(clause, frame))
        if takes_all and not asks_by_variable(clause, frame):
            if handler.is_pythons and tracker_of(error) is None and never_left_python(error.__traceback__):
                return
            tracked(error, self._collector).swallowed(code, id(frame), clause.line, handler.depth, error)
            return
        begins = clause.broad and clause.raises and not handler.groups
        tracker = tracked(error, self._collector) if begins else tracker_of(error)
        if tracker is not None and (clause.ends or clause.raises):
            tracker.entered(code, id(frame), clause.line, handler.depth, clause.is_by_name)

    def _enter_with(self, code: CodeType, handler: Handler, error: BaseException, frame: FrameType) -> None:
        """An ``__exit__`` is given it: it goes on, or was meant."""
        if isinstance(error, CancelledError):
            cancellation_passes(error, frame, handler.depth, self._collector)
        for leaf in leaves_of(error):
            tracker = tracker_of(leaf)
            if tracker is not None:
                tracker.entered(code, id(frame), frame.f_lineno, handler.depth)

    def _reraised(self, code: CodeType, depth: int, error: BaseException, frame: FrameType) -> None:
        if isinstance(error, CancelledError):
            cancellation_went_on(error, code, id(frame), depth)
        for leaf in leaves_of(error):
            tracker = tracker_of(leaf)
            if tracker is not None and tracker.has_left(code, id(frame), depth):
                tracker.went_on()
        if error.__context__ is None and error.__cause__ is None:
            return
        for under in beneath(error):
            if isinstance(under, CancelledError):
                cancellation_went_on(under, code, id(frame), depth)
            for leaf in leaves_of(under):
                tracker = tracker_of(leaf)
                if tracker is not None and tracker.has_left(code, id(frame), depth):
                    tracker.converted()

    def _convert_cause(self, error: BaseException) -> None:
        """It says itself what it was made from; what a handler still has is seen when that lets go."""
        cause = error.__cause__
        for leaf in leaves_of(cause) if cause is not None else ():
            tracker = tracker_of(leaf)
            # who swallowed it never had it in hand: whoever made this from it is another one, who waited as well
            if tracker is not None and (tracker.code is None or tracker.state is Verdict.SWALLOWED):
                tracker.converted()

    def _leaves(self, task: asyncio.Task[Any], error: BaseException, frame: FrameType) -> None:  # Any: see _task_of
        if getattr(getattr(task, "_coro", None), "cr_frame", None) is not frame:
            return
        if isinstance(error, (CancelledError, *NOBODYS)):
            return
        waiter = waiter_of(task, frame)
        leave(error, task, waiter if waiter is not NOBODY or self.hears_loops else UNHEARD, self._collector)
        for leaf in leaves_of(error):
            if (tracker := tracker_of(leaf)) is not None:
                tracker.is_leaving = True  # the block that it is in lets go of it next

    def _shown(self, error: object) -> None:
        if _alive and isinstance(error, BaseException):
            for leaf in leaves_of(error):
                if (tracker := tracker_of(leaf)) is not None:
                    tracker.shown()

    def _suppressed(self, inside: FrameType, frame: FrameType) -> None:
        frame = _outside_of_stacks(frame)
        error: object = inside.f_locals.get("excinst")
        types: object = getattr(inside.f_locals.get("self"), "_exceptions", ())
        if not isinstance(error, BaseException) or isinstance(error, NOBODYS):
            return
        handler = self._codes.read(frame.f_code, frame.f_lasti - 2, frame)  # just before: the exception is pushed
        depth = handler.depth if handler is not None else 0
        if isinstance(error, CancelledError):
            loops = handler is None or handler.loops
            cancellation_entered(error, frame, frame.f_lineno, depth, loops, self._collector)
        elif is_pythons(frame.f_code.co_filename) and never_left_python(error.__traceback__):
            return
        elif isinstance(types, tuple) and not {Exception, BaseException}.isdisjoint(types):
            for leaf in leaves_of(error):
                tracker = tracked(leaf, self._collector)
                tracker.swallowed(frame.f_code, id(frame), frame.f_lineno, depth, leaf, "suppress")


def _outside_of_stacks(frame: FrameType) -> FrameType:
    """Return who entered a ``suppress``, though it was by an ``ExitStack``."""
    at: FrameType | None = frame
    while at is not None and at.f_globals.get("__name__") == "contextlib":
        at = at.f_back
    return at or frame


def _goes_on(error: BaseException) -> bool:
    """Whether no handler has it, nor what it came up from: one more frame that it crosses says nothing new."""
    if error.__cause__ is not None:
        return False
    tracker = tracker_of(error)
    return tracker is not None and tracker.code is None and tracker.state is _UNKNOWN and not tracker.is_leaving


def _task_of(code: CodeType) -> asyncio.Task[Any] | None:  # Any: whatever the task returns
    """Return the running task if its outermost coroutine runs this code."""
    if _running_loop() is None:
        return None
    task = _current_task()
    # not get_coro(): 3.12.1 crashes when a task that never suspended is asked for its coroutine once it is done
    coroutine = getattr(task, "_coro", None)
    return task if getattr(coroutine, "cr_code", None) is code else None
