"""A program that has made no step for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unlost.observe.tasks._died import every_task
from unlost.observe.tasks._ends import Ends
from unlost.observe.tasks._hang import hang_report
from unlost.observe.tasks._standing import frames_of
from unlost.observe.tasks._ticker import Ticker


class Stalled:
    """
    Says once who waits for what when no task has made a step for ``seconds``, and again after it went on and stopped.

    A server that nobody calls makes no step either.

    Args:
        say: Called with the text, in a thread of its own; must not raise.
        seconds: Above 0.
        ends: How tasks ended that are gone; ``watch_tasks(...).ends``.
    """

    def __init__(self, say: Callable[[str], object], seconds: float, ends: Ends) -> None:
        self._say = say
        self._seconds = seconds
        self._ends = ends
        self._standing: Any = None  # Any: compared with itself only
        self._since = 0.0
        self._is_told = False
        self._ticker = Ticker(self._look, min(1.0, seconds / 4))

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
            self._say(f"no task has made a step for {now - self._since:.0f} s\n{hang_report(ends=self._ends)}")


def _where_all_stand() -> frozenset[tuple[int, int, int, int]]:
    """Return, for each pending task, what changes when it makes a step."""
    found = set()
    for task in every_task():
        if not task.done():
            frames = frames_of(task)
            innermost = frames[-1].f_lasti if frames else -1
            found.add((id(task), len(frames), innermost, id(getattr(task, "_fut_waiter", None))))
    return frozenset(found)
