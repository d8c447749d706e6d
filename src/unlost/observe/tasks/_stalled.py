"""A program that has made no step for a while."""

from __future__ import annotations

from asyncio import Task
from collections.abc import Callable
from typing import Any, Final

from unlost.observe._text import encodable, type_name
from unlost.observe.tasks._died import each_task, every_task
from unlost.observe.tasks._ends import Ends
from unlost.observe.tasks._hang import hang_report
from unlost.observe.tasks._origin import name_of_coroutine, origin_of
from unlost.observe.tasks._standing import frames_of, standing
from unlost.observe.tasks._ticker import Ticker
from unlost.observe.tasks._waits import waits_for
from unlost.observe.watch import HANGS, Notice, Site, site_of

_WHOLE: Final = 10  # seconds from which tenths say nothing


class Stalled:
    """
    Says once who waits for what when no task has made a step for ``seconds``, and again after it went on and stopped.

    A server that nobody calls makes no step either.

    Args:
        say: Called with the text, in a thread of its own; must not raise.
        note: Called with a notice of it before, likewise; None where nobody asks.
        seconds: Above 0.
        ends: How tasks ended that are gone; ``watch_tasks(...).ends``.
        fault: Called with an error of our own at a fork; must not raise.
    """

    def __init__(
        self,
        say: Callable[[str], object],
        seconds: float,
        ends: Ends,
        fault: Callable[[BaseException], object],
        note: Callable[[Notice], object] | None = None,
    ) -> None:
        self._say = say
        self._note = note
        self._seconds = seconds
        self._ends = ends
        self._standing: Any = None  # Any: compared with itself only
        self._since = 0.0
        self._is_told = False
        self._ticker = Ticker(self._look, min(1.0, seconds / 4), fault)

    def stop(self) -> None:
        """Look no longer."""
        self._ticker.stop()

    def _look(self, now: float) -> None:
        try:
            standing = _where_all_stand()
        except RuntimeError:  # a task moved while it was looked at: that is a step
            standing = None
        if not standing or standing != self._standing:
            self._standing, self._since, self._is_told = standing, now, False
        elif not self._is_told and now - self._since >= self._seconds:
            self._is_told = True
            said = f"no task has made a step for {_seconds(now - self._since)} s"
            if self._note is not None:
                self._note(_read_notice(said, self._ends))
            self._say(f"{said}\n{hang_report(ends=self._ends)}")


def _seconds(passed: float) -> str:
    return f"{passed:.0f}" if passed >= _WHOLE else f"{passed:.1f}"


def _read_notice(said: str, ends: Ends) -> Notice:
    try:
        return _notice(said, ends)
    except Exception as broken:  # named in the text: a task moved on, or cannot be read  # noqa: BLE001
        return Notice(HANGS, f"{said}; for what it waits cannot be read: {type_name(type(broken))}")


def _notice(said: str, ends: Ends) -> Notice:
    """Return that it hangs, and what the first task waits for that stands in the application's own code."""
    standing_at = [(task, _site(task)) for task in every_task() if not task.done()]
    standing_at.sort(key=lambda pair: (pair[1] is None or not pair[1].app, len(pair[0].get_name()), pair[0].get_name()))
    if not standing_at:
        return Notice(HANGS, said)
    task, site = standing_at[0]
    waits = waits_for(task, frames_of(task), ends)
    text = f"{said}: task {encodable(task.get_name())!r}{name_of_coroutine(task)} waits for {waits}"
    more = f", and {len(standing_at) - 1} more wait too" if len(standing_at) > 1 else ""
    return Notice(HANGS, text + more, site, origin_of(task))


def _site(task: Task[Any]) -> Site | None:  # Any: tasks of every result
    frame = standing(frames_of(task))
    return None if frame is None else site_of((frame.f_code, frame.f_lasti))


def _where_all_stand() -> frozenset[tuple[int, int, int, int]]:
    """Return, for each pending task, what changes when it makes a step."""
    found = set()
    for task in each_task():
        if not task.done():
            frames = frames_of(task)
            innermost = frames[-1].f_lasti if frames else -1
            found.add((id(task), len(frames), innermost, id(getattr(task, "_fut_waiter", None))))
    return frozenset(found)
