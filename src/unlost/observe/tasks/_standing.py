"""Where a suspended task stands: its frames, and what the innermost ones have in their variables."""

from __future__ import annotations

from asyncio import Task
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

from unlost.observe._variables import variables

_FRAMES: Final = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED: Final = ("cr_await", "gi_yieldfrom", "ag_await")
_PLUMBING: Final = ("asyncio", "uvloop")
_MOST: Final = 200


def frames_of(task: Task[Any]) -> list[FrameType]:  # Any: tasks of every result
    """Return the frames that a task is suspended in, outermost first; none where it is done."""
    if task.done():  # and 3.12.1 crashes on get_coro() of an eager one that never suspended
        return []
    found: list[FrameType] = []
    at: object = task.get_coro()
    while at is not None and len(found) < _MOST:
        frame = _first(at, _FRAMES)
        if isinstance(frame, FrameType):
            found.append(frame)
        at = _first(at, _AWAITED)
    return found


def is_plumbing(frame: FrameType) -> bool:
    """Whether a frame is asyncio's, or of a channel of ours: what it waits for says more than where it stands."""
    name = str(frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] in _PLUMBING or name.startswith("unlost._core.")


def standing(frames: list[FrameType]) -> FrameType | None:
    """Return the innermost frame outside of asyncio; the innermost of all where there is none."""
    others = [frame for frame in frames if not is_plumbing(frame)]
    return others[-1] if others else frames[-1] if frames else None


def name_in(frames: list[FrameType], thing: object) -> str:
    """Return what the innermost frame that has ``thing`` calls it; empty where none does."""
    for frame in reversed(frames):
        if not is_plumbing(frame):
            owner = frame.f_code.co_varnames[:1]  # self, by whatever name
            for name in _names(variables(frame), owner, frame.f_globals, thing):
                return name
    return ""


def _names(
    local: dict[str, Any], owner: tuple[str, ...], module: dict[str, Any], thing: object
) -> Iterator[str]:  # Any: as above
    for name, value in local.items():
        if value is thing:
            yield name
    for name in owner:
        attributes = getattr(local.get(name), "__dict__", None)
        if isinstance(attributes, dict):
            yield from (f"{name}.{attribute}" for attribute, held in attributes.items() if held is thing)
    for name, value in module.items():
        if value is thing:
            yield name


def _first(holder: object, names: tuple[str, ...]) -> object:
    for name in names:
        found = getattr(holder, name, None)
        if found is not None:
            return found
    return None
