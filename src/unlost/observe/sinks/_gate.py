"""
What is told in full, and what is only counted: a decision and its state, without any telling.

Of reports with the same key the first is told in full; those that follow are counted, and the count is told once in
``every`` seconds. Within these at most ``most`` are told in full and as many counts are; where there is more, it is in
the last count, of all sorts. A key that was silent for ``AGAIN`` times ``every`` seconds is told in full again. What is
kept does not grow with the number of reports, nor, beyond ``groups``, with that of keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from unlost.observe.sinks._report import Key, Report, brief, counted

AGAIN: Final = 10


@dataclass(slots=True)
class _Group:
    """
    Attributes:
        like: The first of them, cut short.
        told: Whether one was told in full.
        last: When there was one.
        count: How many were held back since a count was told.
        since: When the first of these was.
    """

    like: Report
    told: bool
    last: float
    count: int = 0
    since: float = 0.0


class Gate:
    """Not safe for threads; time is the caller's, in seconds."""

    def __init__(self, every: float, most: int, groups: int) -> None:
        self._every = every
        self._most = most
        self._size = groups
        self._groups: dict[Key, _Group] = {}  # the longest silent first
        self._others = 0
        self._others_since = 0.0
        self._window = float("-inf")
        self._told = 0
        self._due: float | None = None

    @property
    def due(self) -> float | None:
        """When counts are to be told; None where nothing is held back."""
        return self._due

    def admits(self, report: Report, now: float) -> bool:
        """Say whether to tell the report in full; if not, it is counted."""
        group = self._groups.pop(report.key, None)
        if group is not None and now - group.last >= AGAIN * self._every and not group.count:
            group = None
        if group is None and not self._has_room():
            self._count_other(now, 1)
            return False
        if group is None:
            group = _Group(brief(report), told=False, last=now)
        self._groups[report.key] = group
        group.last = now
        if not group.told and self._may_tell(now):
            group.told = True
            return True
        self._hold(group, now)
        return False

    def add(self, count: int, now: float) -> None:
        """Count errors of which nothing is known."""
        if count:
            self._count_other(now, count)

    def counts(self, now: float) -> list[Report]:
        """Return what is to be told of what was held back, the most frequent first, and begin to count anew."""
        held = sorted((group for group in self._groups.values() if group.count), key=lambda group: -group.count)
        for group in held[self._most :]:
            self._count_other(group.since, group.count)
        told = [self._count_of(group, now) for group in held[: self._most]]
        if self._others:
            what = f"{self._others:,} more errors were held back: too many to be told apart"
            told.append(counted(what, self._others, now - self._others_since))
        for group in held:
            group.count = 0
        self._others = 0
        self._due = None
        return told

    def _has_room(self) -> bool:
        if len(self._groups) < self._size:
            return True
        oldest = next(iter(self._groups))
        if self._groups[oldest].count:
            return False
        del self._groups[oldest]
        return True

    def _may_tell(self, now: float) -> bool:
        if now - self._window >= self._every:
            self._window, self._told = now, 0
        self._told += 1
        return self._told <= self._most

    def _hold(self, group: _Group, now: float) -> None:
        if not group.count:
            group.since = now
        group.count += 1
        self._note_due(now)

    def _count_other(self, now: float, count: int) -> None:
        if not self._others or now < self._others_since:
            self._others_since = now
        self._others += count
        self._note_due(now)

    def _note_due(self, now: float) -> None:
        if self._due is None:
            self._due = now + self._every

    @staticmethod
    def _count_of(group: _Group, now: float) -> Report:
        what = "and more like it" if group.told else "held back, with others told in full"
        return counted(what, group.count, now - group.since, group.like)
