"""What a suspended task waits for, in words, as the functions that it waits in and the future under them tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, TypeAlias

from unlost.observe._text import encodable
from unlost.observe._variables import variables
from unlost.observe.tasks._ends import Ends
from unlost.observe.tasks._feeds import fed_by
from unlost.observe.tasks._standing import name_in

_Frames: TypeAlias = list[FrameType]
_Says: TypeAlias = Callable[[Any, dict[str, Any], _Frames, Ends], str]
"""Called with the ``self`` of the function that is waited in, and its variables. Any: of all sorts."""


def waits_for(task: asyncio.Task[Any], frames: _Frames, ends: Ends) -> str:  # Any: tasks of every result
    """Return what a task waits for; ``frames`` are those that it is suspended in."""
    for frame in reversed(frames):
        known = _KNOWN.get((frame.f_globals.get("__name__", ""), frame.f_code.co_qualname))
        if known is not None:
            local = variables(frame)
            return known(local.get("self"), local, frames, ends)
    return _future(getattr(task, "_fut_waiter", None))


def _named(what: str, thing: object, frames: _Frames) -> str:
    name = name_in(frames, thing)
    return f"{what} {encodable(name)}" if name else f"{_article(what)} {what}"


def _article(word: str) -> str:
    return "an" if word[0].lower() in "aeiou" else "a"


def _get(queue: Any, _local: dict[str, Any], frames: _Frames, ends: Ends) -> str:  # Any: see _Says, here and below
    who = fed_by(queue, ends)
    return f"an item from {_named('queue', queue, frames)}" + (f"; {who}" if who else "; no task was seen to feed it")


def _put(queue: Any, _local: dict[str, Any], frames: _Frames, _ends: Ends) -> str:  # Any: as above
    return f"a place in {_named('queue', queue, frames)}, which is full ({queue.qsize()} of {queue.maxsize})"


def _join(queue: Any, _local: dict[str, Any], frames: _Frames, _ends: Ends) -> str:  # Any: as above
    left = getattr(queue, "_unfinished_tasks", "some")
    return f"{_named('queue', queue, frames)} to be worked off: task_done() has to be called {left} times more"


def _plain(what: str, kind: str) -> _Says:
    def say(thing: Any, _local: dict[str, Any], frames: _Frames, _ends: Ends) -> str:  # Any: as above
        return f"{what} {_named(kind, thing, frames)}"

    return say


def _sleep(_self: Any, local: dict[str, Any], _frames: _Frames, _ends: Ends) -> str:  # Any: as above
    handle, future = local.get("h"), local.get("future")
    if handle is None or future is None:
        return f"the end of sleep({local.get('delay')!r})"
    return f"the end of sleep({local.get('delay')!r}), in {max(0.0, handle.when() - future.get_loop().time()):.1f} s"


def _stream(reader: Any, _local: dict[str, Any], _frames: _Frames, _ends: Ends) -> str:  # Any: as above
    transport = getattr(reader, "_transport", None)
    peer = transport.get_extra_info("peername") if transport is not None else None
    return f"data from {peer!r}" if peer else "data from a stream"


def _group(group: Any, _local: dict[str, Any], _frames: _Frames, _ends: Ends) -> str:  # Any: as above
    return f"its task group: {_tasks(getattr(group, '_tasks', ()))}"


def _wait(_self: Any, local: dict[str, Any], _frames: _Frames, _ends: Ends) -> str:  # Any: as above
    return f"asyncio.wait: {_tasks(local.get('fs') or ())}"


def _channel(line: Any, local: dict[str, Any], _frames: _Frames, _ends: Ends) -> str:  # Any: as above
    state = getattr(local.get("end"), "_state", None)
    if state is None:
        return "one of our channels"
    if line is state.arrivals:
        side = state.producers
        return (
            f"an item from {state.title}; of {side.came} producers {side.open} are open and {side.failed} have failed"
        )
    side = state.consumers
    return f"a place in {state.title}; of {side.came} consumers {side.open} are open and {side.failed} have failed"


_KNOWN: Final[dict[tuple[str, str], _Says]] = {
    ("asyncio.queues", "Queue.get"): _get,
    ("asyncio.queues", "Queue.put"): _put,
    ("asyncio.queues", "Queue.join"): _join,
    ("asyncio.locks", "Event.wait"): _plain("set() of", "event"),
    ("asyncio.locks", "Lock.acquire"): _plain("release() of", "lock"),
    ("asyncio.locks", "Semaphore.acquire"): _plain("release() of", "semaphore"),
    ("asyncio.locks", "Condition.wait"): _plain("notify() of", "condition"),
    ("asyncio.locks", "Barrier.wait"): _plain("the others at", "barrier"),
    ("asyncio.tasks", "sleep"): _sleep,
    ("asyncio.tasks", "_wait"): _wait,
    ("asyncio.streams", "StreamReader._wait_for_data"): _stream,
    ("asyncio.taskgroups", "TaskGroup.__aexit__"): _group,
    ("asyncio.taskgroups", "TaskGroup._aexit"): _group,
    ("unlost._core.channel._line", "Line.wait"): _channel,
}


def _tasks(tasks: Any) -> str:  # Any: futures of all sorts
    waiting = [_future(one) for one in tasks if not one.done()]
    return ", ".join(sorted(waiting)[:_MOST]) + (f" and {len(waiting) - _MOST} more" if len(waiting) > _MOST else "")


def _future(future: Any) -> str:  # Any: whatever a task awaits
    if future is None:
        return "nothing: it is about to run"
    if isinstance(future, asyncio.Task):
        return f"task {encodable(future.get_name())!r}"
    children = getattr(future, "_children", None)
    if children:
        return f"gather: {_tasks(children)}"
    for callback in [pair[0] for pair in getattr(future, "_callbacks", None) or ()]:
        name = getattr(getattr(callback, "func", callback), "__qualname__", "")
        if name in _CALLBACKS:
            return _CALLBACKS[name]
    return "a future that nobody has set yet"


_MOST: Final = 10
_CALLBACKS: Final = {
    "_chain_future.<locals>._call_check_cancel": "a call in a thread or process",
    "BaseSelectorEventLoop._sock_read_done": "data from a socket",
    "BaseSelectorEventLoop._sock_write_done": "a socket to take data",
    "shield.<locals>._outer_done_callback": "what it shields",
}
