"""The frames of a traceback, with recursion collapsed and the middle of a deep stack left out."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import FrameType, TracebackType
from typing import Any

from unlost.observe._code import is_application
from unlost.observe._schema import FrameRecord
from unlost.observe._text import cut_front, encodable


def frames_of(
    traceback: TracebackType | None, *, own: Collection[str] = (), limit: int = 48, width: int = 300
) -> list[FrameRecord]:
    """
    Record the frames of ``traceback``, outermost first.

    Args:
        own: Top-level packages that are the user's code wherever they are installed.
        limit: At most this many records come out; see ``_chosen`` for which.
        width: At most this many characters of each name and path.
    """
    collapsed: list[tuple[FrameType, int, int]] = []
    for frame, line in _walk(traceback):
        last = collapsed[-1] if collapsed else None
        if last and last[0].f_code is frame.f_code and last[1] == line:
            collapsed[-1] = (frame, line, last[2] + 1)
        else:
            collapsed.append((frame, line, 0))
    if len(collapsed) <= limit:
        return [_record(frame, line, repeats, own, width) for frame, line, repeats in collapsed]
    chosen = _chosen([is_app_frame(frame, own) for frame, _, _ in collapsed], limit)
    records = []
    for place, index in enumerate(chosen):
        frame_record = _record(*collapsed[index], own, width)
        following = chosen[place + 1] if place + 1 < len(chosen) else len(collapsed)
        if following > index + 1:
            frame_record["skipped"] = following - index - 1
        records.append(frame_record)
    return records


def _walk(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno or 0
        traceback = traceback.tb_next


def _chosen(is_app: list[bool], limit: int) -> list[int]:
    """
    Return the indices to keep: the innermost half, the innermost application frames and what those called, then the
    outermost; the first is always kept, so that each gap lies below a kept frame.
    """
    count = len(is_app)
    kept = {0, *range(count - limit // 2, count)}
    app_first = [index for index in reversed(range(count)) if is_app[index]]
    for index in app_first[: limit // 4]:
        kept.update((index, min(index + 1, count - 1)))
    outermost = iter(range(count))
    while len(kept) < limit:
        kept.add(next(outermost))
    innermost = sorted(kept - {0})[-(limit - 1) :]
    return [0, *innermost]


def _record(frame: FrameType, line: int, repeats: int, own: Collection[str], width: int) -> FrameRecord:
    code = frame.f_code
    frame_record: FrameRecord = {
        "file": cut_front(encodable(code.co_filename), width),
        "module": cut_front(encodable(module_of_frame(frame)), width),
        "function": cut_front(encodable(code.co_qualname), width),
        "line": line,
        "app": is_app_frame(frame, own),
    }
    if repeats:
        frame_record["repeats"] = repeats
    return frame_record


def is_app_frame(frame: FrameType, own: Collection[str]) -> bool:
    """Say whether the frame runs the user's own code, which that of the packages ``own`` always is."""
    if own and module_of_frame(frame).partition(".")[0] in own:
        return True
    return is_application(frame.f_code.co_filename)


def module_of_frame(frame: FrameType) -> str:
    """Return the name of the module that the frame's code is in; empty where it has none."""
    names: dict[str, Any] = frame.f_globals  # Any: whatever a module puts there
    name = dict.get(names, "__name__")  # dict.get: globals may be a subclass whose own get() is user code
    return str.__str__(name) if isinstance(name, str) else ""
