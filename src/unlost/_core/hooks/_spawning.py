"""
Where tasks were started: the line outside of ``asyncio`` and of this library, and those of the tasks above.

Guarantees:

- No task, frame or exception is kept alive. What is kept of a task goes when it does, and reaches ``ANCESTORS``
  generations up.
- Whoever makes the task goes on making it: a task factory is called as ever, with what it was called with. Where there
  is none, the loops of asyncio and uvloop make a ``Task`` that has room for this (derived from that in C, in a slot).
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio import tasks
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Final, TypeAlias
from weakref import ref

from unlost._core.hooks._replaced import Switch

Spot: TypeAlias = tuple[CodeType, int]
"""A code object and the offset of an instruction."""

ANCESTORS: Final = 8
_DEEPEST: Final = 8 * ANCESTORS

# A spot, that of the task above with all further up, and how many these are.
_Chain: TypeAlias = tuple[
    CodeType, int, Any, int
]  # Any: a _Chain, or None; mypy has no recursive alias in a tuple here

_INSIDE: Final = (
    os.path.dirname(asyncio.__file__) + os.sep,
    os.path.dirname(futures.__file__) + os.sep,
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep,
)
_UVLOOP: Final = f"{os.sep}uvloop{os.sep}"
_known: dict[str, bool] = {}  # by file name: whether it is asyncio's, an executor's, uvloop's or ours
is_inside = _known.get
_MOST_KNOWN: Final = 10_000
# compared one by one: the hash of a code object is that of all that is in it
_CREATE_TASK: Final = asyncio.create_task.__code__
_IN_GROUP: Final = asyncio.TaskGroup.create_task.__code__
_GATHER: Final = asyncio.gather.__code__
# 3.11 and 3.12 have one function for what is called from outside, and one for what is called from gather
_ENSURE: Final = getattr(asyncio.tasks, "_ensure_future", asyncio.ensure_future).__code__
_RUN_HANDLE: Final = asyncio.Handle._run.__code__
_STOCK: Final = tasks.Task

_RUNNERS: Final = ("run", "run_forever", "run_until_complete")  # uvloop calls what it calls from there, as it is in C

# Any: tasks of every result; those that others made, and None for those that are older than this
_elsewhere: dict[ref[asyncio.Task[Any]], _Chain | None] = {}
_forget = _elsewhere.pop


class Task(asyncio.Task[Any]):  # Any: as above
    """A task that knows where it was started; to everybody else, asyncio's own."""

    __slots__ = ("_unlost_chain",)
    _unlost_chain: _Chain


Task.__module__ = asyncio.Task.__module__
_running = asyncio._get_running_loop
_current = asyncio.current_task
_getframe = sys._getframe


def spawned_of(task: asyncio.Task[Any]) -> tuple[Spot, ...]:  # Any: as above
    """
    Return where a task was started, then where the task was that did that, and so on; empty where that was not seen.

    At most ``ANCESTORS`` of them.
    """
    chain = _chain_of(task)
    found: list[Spot] = []
    while chain is not None and len(found) < ANCESTORS:
        found.append((chain[0], chain[1]))
        chain = chain[2]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Making:
    """
    What to do about new tasks.

    Attributes:
        kind: What asyncio's loops make where no factory is set.
        made: Called with each new task that has not ended, once it is known where it was started; None where nobody
            asks. Must not raise.
        fault: Called with an error of our own.
    """

    kind: type[Task] = Task
    made: Callable[[asyncio.Task[Any]], object] | None = None  # Any: tasks of every result
    fault: Callable[[BaseException], object] = lambda _error: None


def observed_create_task(making: Making) -> Callable[[Any, Switch], Any]:  # Any: the method of a loop of any sort
    """Return the maker of what stands in for a loop's ``create_task``, and calls that."""

    def maker(original: Any, switch: Switch) -> Any:  # Any: as above
        def create_task(self: asyncio.AbstractEventLoop, /, *args: Any, **kwargs: Any) -> Any:  # Any: as it takes them
            task = original(self, *args, **kwargs)
            if switch.on:
                _met(task, _getframe(1), self, making)
            return task

        return create_task

    return maker


def uvloop_create_task(making: Making) -> Callable[[Any, Switch], Any]:  # Any: as above
    """Return the maker of what stands in for uvloop's, and where no factory is set does the same."""

    def maker(original: Any, switch: Switch) -> Any:  # Any: as above
        def create_task(
            self: asyncio.AbstractEventLoop, coro: Any, *, name: str | None = None, context: Any = None, **others: Any
        ) -> Any:  # Any: what the original takes
            task: asyncio.Task[Any]  # Any: of every result
            if switch.on and not (others or self.get_task_factory() or self.get_debug() or self.is_closed()):
                task = making.kind(coro, loop=self, name=name, context=context)
            else:
                task = original(self, coro, name=name, context=context, **others)
            if switch.on:
                _met(task, _getframe(1), self, making)
            return task

        return create_task

    return maker


def stock_create_task(making: Making) -> Callable[[Any, Switch], Any]:  # Any: as above
    """Return the maker of what stands in for asyncio's own, and where no factory is set does the same, but faster."""
    kind, made, fault = making.kind, making.made, making.fault

    def maker(original: Any, switch: Switch) -> Any:  # Any: as above
        def create_task(
            self: Any, coro: Any, *, name: str | None = None, context: Any = None, **others: Any
        ) -> Any:  # Any: a loop with its private parts; what the original takes
            is_usual = switch.on and not others and tasks.Task is _STOCK  # asyncio looks there each time
            if not is_usual or self._task_factory is not None or self._debug or self._closed:
                task = original(self, coro, name=name, context=context, **others)
                if switch.on:
                    _met(task, _getframe(1), self, making)
                return task
            task = kind(coro, loop=self, name=name, context=context)
            try:
                frame: FrameType = _getframe(1)
                if (code := frame.f_code) is _CREATE_TASK or code is _IN_GROUP:  # the usual ways, without a walk
                    frame = _getframe(2)
                    code = frame.f_code
                elif code is _ENSURE and _getframe(2).f_code is _GATHER:
                    frame = _getframe(3)
                    code = frame.f_code
                code, instruction = (code, frame.f_lasti) if not is_inside(code.co_filename, True) else outside(frame)
                above = _current(self)
                # none for what a callback of the loop starts: a server's requests
                chain = None if above is None else above._unlost_chain if type(above) is kind else _chain_of(above)
                if chain is None:
                    task._unlost_chain = (code, instruction, None, 0)
                else:
                    if chain[3] >= _DEEPEST:
                        chain = _shortened(chain) or chain
                    task._unlost_chain = (code, instruction, chain, chain[3] + 1)
                if made is not None:
                    made(task)
            except Exception as our_error:  # counted: this is somebody's create_task  # noqa: BLE001
                fault(our_error)
            return task

        return create_task

    return maker


def _met(task: object, frame: FrameType, loop: asyncio.AbstractEventLoop, making: Making) -> None:
    try:
        if not isinstance(task, asyncio.Task) or task.done():  # another library's own kind; or eager, and over
            return
        code, instruction = outside(frame)
        chain = _chain_of(_current(loop))
        if chain is None or chain[3] >= _DEEPEST:  # a task that starts the next one, for ever: what is far up is let go
            chain = _shortened(chain)
        linked = (code, instruction, chain, chain[3] + 1 if chain is not None else 0)
        if isinstance(task, Task):
            task._unlost_chain = linked
        else:
            _elsewhere[ref(task, _gone)] = linked
        if making.made is not None:
            making.made(task)
    except Exception as our_error:  # counted: this is somebody's create_task  # noqa: BLE001
        making.fault(our_error)


def _gone(reference: ref[asyncio.Task[Any]]) -> None:  # Any: as above
    _forget(reference, None)


def _chain_of(task: asyncio.Task[Any] | None) -> _Chain | None:  # Any: as above
    if task is None:
        return None
    known = getattr(task, "_unlost_chain", None)
    return known or (_elsewhere[key] if (key := ref(task)) in _elsewhere else _while_it_is_made(task))


def _shortened(chain: _Chain | None) -> _Chain | None:
    kept: list[_Chain] = []
    at = chain
    while at is not None and len(kept) < ANCESTORS:
        kept.append(at)
        at = at[2]
    short: _Chain | None = None
    for depth, (code, instruction, _, _) in enumerate(reversed(kept)):
        short = (code, instruction, short, depth)
    return short


def outside(frame: FrameType) -> Spot:
    """Return the first frame outside of asyncio, executors and us; where the loop itself calls, the one it calls."""
    at: FrameType = frame
    while True:
        code = at.f_code
        inside = _known.get(code.co_filename)
        if inside is None:
            if len(_known) >= _MOST_KNOWN:  # a program that names what it compiles: begin anew rather than grow
                _known.clear()
            inside = _known[code.co_filename] = _is_plumbing(code.co_filename)
        if not inside:
            return code, at.f_lasti
        outer = at.f_back
        if (
            outer is None
            or outer.f_code is _RUN_HANDLE
            or (outer.f_code.co_name in _RUNNERS and _running() is not None)
        ):
            return frame.f_code, frame.f_lasti
        at = outer


def _is_plumbing(file: str) -> bool:
    return file.startswith(_INSIDE) or _UVLOOP in file


def _while_it_is_made(task: asyncio.Task[Any]) -> _Chain | None:  # Any: as above
    """
    An eager task runs before whoever makes it has it: its start is further up the stack.

    One that runs and was not started there is older than this; that stays so, and is looked for once.
    """
    if _running() is None or _current() is not task:  # another thread asks, or it is suspended
        return None
    frame: FrameType | None = _getframe(1)
    coroutine = getattr(task, "_coro", None)
    running = getattr(coroutine, "cr_frame", None)
    while frame is not None and frame is not running:
        frame = frame.f_back
    while frame is not None and frame.f_code is not _RUN_HANDLE:
        if frame.f_code.co_filename == __file__ and frame.f_code.co_name == "create_task":
            return (*outside(frame), None, 0)
        frame = frame.f_back
    _elsewhere[ref(task, _gone)] = None
    return None
