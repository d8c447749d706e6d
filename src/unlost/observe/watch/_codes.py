"""What is known of the code that exceptions crossed: read once, kept in bounded memory."""

from __future__ import annotations

import dis
import os
from dataclasses import replace
from inspect import CO_COROUTINE, CO_ITERABLE_COROUTINE
from types import CodeType, FrameType
from typing import Final

from unlost.observe.watch._clause import Handler
from unlost.observe.watch._guards import NONE, Guard, depth_at, guard_at, guards_of
from unlost.observe.watch._handlers import handler_at
from unlost.observe.watch._listing import Listing
from unlost.observe.watch._named import with_names_read
from unlost.observe.watch._pythons import is_pythons

MOST: Final = 20_000

_ENTERS: Final = dis.opmap["PUSH_EXC_INFO"]  # what is noise begins otherwise, and needs no reading

LEAVES: Final = Handler((), NONE)
"""What an exception enters that leaves a coroutine: the block that minds ``StopIteration``, outside of all others."""

_COROUTINE: Final = CO_COROUTINE | CO_ITERABLE_COROUTINE

# They put an exception where another can ask for it; the file tells them from others of that name.
_CARRIERS: Final = {
    ("thread.py", "_WorkItem.run"): "an executor",
    ("tasks.py", "Task.__step"): "",
    ("tasks.py", "Task.__step_run_and_handle_result"): "",
}


class Codes:
    """
    Handlers and guards by code object.

    By the id of the code: hashing one reads all of it. Each is kept with what is known of it, so that its id is not
    another's meanwhile. An instruction lies within its code object, so that id and offset added up are no other's
    either: one look into one dictionary.

    Attributes:
        entered: What ``entered_at`` said of each place.
    """

    def __init__(self) -> None:
        self.entered: dict[int, Handler | None] = {}
        self._handlers: dict[int, Handler | None] = {}
        self._depths: dict[int, int] = {}
        self._guards: dict[int, tuple[Guard, ...]] = {}
        self._kept: dict[int, CodeType] = {}

    def entered_at(self, code: CodeType, offset: int, frame: FrameType) -> Handler | None:
        """Return the handler that what is raised at an offset enters; None where that is nothing to us."""
        self._keep(code)
        guard = guard_at(self._guards_of(code), offset)
        handler = None if guard is None else self.read(code, guard.target, frame)
        self.entered[id(code) + offset] = handler
        return handler

    def read(self, code: CodeType, offset: int, frame: FrameType) -> Handler | None:
        """Return the handler at an offset, and know it from then on; the frame that runs it has what it names."""
        here = id(code)
        self._keep(code)
        if here + offset not in self._handlers:
            self._handlers[here + offset] = None  # what cannot be read is noise
            try:
                if code.co_code[offset] == _ENTERS:
                    read = _handler_of(code, offset)
                    self._handlers[here + offset] = read and with_names_read(read, frame)
                elif code.co_flags & _COROUTINE and self.depth_at(code, offset) == NONE:
                    self._handlers[here + offset] = LEAVES
            except RecursionError:  # it can be read another time: the program is at its limit
                del self._handlers[here + offset]
                raise
        return self._handlers.get(here + offset)

    def depth_at(self, code: CodeType, offset: int) -> int:
        """Return how deep what catches what is raised at an offset is; -1 where nothing does."""
        depth = self._depths.get(id(code) + offset)
        if depth is None:
            self._keep(code)
            depth = self._depths[id(code) + offset] = depth_at(self._guards_of(code), offset)
        return depth

    def _guards_of(self, code: CodeType) -> tuple[Guard, ...]:
        guards = self._guards.get(id(code))
        if guards is None:
            guards = self._guards[id(code)] = guards_of(code)
        return guards

    def _keep(self, code: CodeType) -> None:
        if id(code) in self._kept:
            return
        if len(self._kept) >= MOST:  # a program that makes code as it runs: begin anew rather than grow
            self.entered.clear()
            self._handlers.clear()
            self._depths.clear()
            self._guards.clear()
            self._kept.clear()
        self._kept[id(code)] = code


def _handler_of(code: CodeType, offset: int) -> Handler | None:
    handler = handler_at(Listing(code), offset)
    if handler is None or not is_pythons(code.co_filename):
        return handler
    carrier = _CARRIERS.get((os.path.basename(code.co_filename), code.co_qualname))
    return replace(handler, is_pythons=True) if carrier is None else _carried(handler, carrier)


def _carried(handler: Handler, by: str) -> Handler | None:
    if not by:
        return None
    return Handler(handler.clauses, handler.depth, plain=False, carrier=by)
