"""What was found so far, in bounded memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, Final, TypeAlias, TypeVar

from unlost._core import wall
from unlost.observe.watch._finding import Finding
from unlost.observe.watch._notice import Notice
from unlost.observe.watch._unknown import Unknowns
from unlost.observe.watch._verdict import Verdict

MOST: Final = 10_000
"""Findings that are kept; beyond that the oldest go, and are counted."""

ALIKE: Final = 100
"""Findings of one verdict at one place that are told in full; the others of that place are counted only."""

WAYS: Final = 1_000
"""Ways to tell somebody that are counted each by itself, such as loggers."""

EVERY: Final = 1_000

OTHERS: Final = "others"

NO_ROOM: Final = "RecursionError: the program had no room left for a call"
"""A fault at the recursion limit, where it has to be counted by no call."""

_Counted = TypeVar("_Counted")

Listener: TypeAlias = Callable[[Finding | Notice], object]


class Collector:
    """
    What was found. Everything here may be called at any moment in any thread.

    Attributes:
        counts: How many exceptions came to each verdict. What was caught at once by who meant it is not followed, and
            not counted.
        findings: Those that came to no good end, the oldest first.
        notices: What else was found, that is no exception's end, the oldest first.
        noted: How many there were of each kind of notice.
        unknown: Why it is not known what became of those that came to ``Verdict.UNKNOWN``, and where they were raised.
        reports: How often somebody was told of an error, by how.
        held_back: How many exceptions were counted without a finding, as there were ``ALIKE`` of that place.
        dropped: How many findings and notices were let go again, for want of room.
        faults: What went wrong in the watching itself, by its type; each may have cost a verdict.
        born: Called with each tracker that is made for this; None where nobody asks which of them are still there.
        is_prompt: Whether the verdict on what was lost for good falls at once, though something (a captured log record,
            say) still holds the exception: where the process may end without a word.
        counted: Called with each ``EVERY``th exception that is counted without a finding, as a listener is; None where
            nobody asks.
        listeners: Called with each finding and notice, by whoever let the last reference to an exception go, so in the
            middle of anything: they must not wait, and take no lock that other code holds. What they raise is a fault.
    """

    def __init__(self, most: int = MOST, alike: int = ALIKE) -> None:
        self.counts: Counter[Verdict] = Counter()
        self.findings: deque[Finding] = deque(maxlen=most)
        self.notices: deque[Notice] = deque(maxlen=most)
        self.noted: Counter[str] = Counter()
        self.unknown = Unknowns()
        self.reports: Counter[str] = Counter()
        self.held_back = 0
        self.dropped = 0
        self.faults: Counter[str] = Counter()
        self.born: Callable[[Any], object] | None = None  # Any: a Tracker, which knows this class
        self.is_prompt = False
        self.counted: Callable[[], object] | None = None
        self.listeners: list[Listener] = []
        self._alike = alike
        self._most = most
        self._told: Counter[Hashable] = Counter()
        self._kept: list[object] = []

    def begin_anew(self) -> None:
        """Forget everything, in a forked process: the parent tells it."""
        for counts in (self.counts, self.noted, self.reports, self.faults, self._told):
            counts.clear()
        self.unknown.clear()
        self._kept.clear()
        self.findings.clear()
        self.notices.clear()
        self.held_back = self.dropped = 0

    def count(self, verdict: Verdict) -> None:
        """Count an exception of which there is nothing else to say."""
        self.counts[verdict] += 1

    def hold_back(self, verdict: Verdict) -> None:
        """Count an exception that is like many that were told."""
        self.counts[verdict] += 1
        self.held_back += 1
        if self.held_back % EVERY == 0 and self.counted is not None:
            try:
                self.counted()
            except Exception as fault:  # counted: as below  # noqa: BLE001
                self.fault(fault)

    def is_told(self, place: Hashable) -> bool:
        """Say whether enough was told of a place."""
        return self._told.get(place, 0) >= self._alike

    def add(self, finding: Finding, place: Hashable, *keep: object) -> None:
        """Count an exception, and keep what became of it; what ``place`` has the ids of is kept as long as that is."""
        self.counts[finding.verdict] += 1
        if len(self._told) >= self._most:  # so many places: begin anew rather than grow
            self._told.clear()
            self._kept.clear()
        if not self._told[place]:
            self._kept.extend(keep)
        self._told[place] += 1
        self.dropped += len(self.findings) == self.findings.maxlen
        self.findings.append(finding)
        self._tell(finding)

    def note(self, notice: Notice) -> None:
        """Count what is no exception's end, and keep it with the time."""
        notice = replace(notice, at=wall())
        self.noted[notice.kind] += 1
        self.dropped += len(self.notices) == self.notices.maxlen
        self.notices.append(notice)
        self._tell(notice)

    def report(self, how: str, count: int = 1) -> None:
        """Count that somebody was told, and how; what is beyond ``WAYS`` of them is ``OTHERS``."""
        if len(self.reports) >= WAYS and how not in self.reports:
            how = OTHERS
        self.reports[how] += count

    def take_counts(self, other: Collector) -> None:
        """Count here, and no more there, what another has counted."""
        for how, count in other.reports.items():
            self.report(how, count)
        other.reports.clear()
        _move(other.noted, self.noted)
        _move(other.faults, self.faults)
        _move(other.counts, self.counts)
        if other.unknown:
            self.unknown.take(other.unknown)
        self.held_back += other.held_back
        self.dropped += other.dropped
        other.held_back = other.dropped = 0

    def fault(self, error: BaseException) -> None:
        """Count an error of our own. Only its type: its text might run code, and this is the end of the line."""
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f" at {where.tb_frame.f_code.co_qualname}:{where.tb_lineno}" if where is not None else ""
        self.faults[f"{type(error).__name__}{place}"] += 1

    def _tell(self, found: Finding | Notice) -> None:
        for listener in tuple(self.listeners):
            try:
                listener(found)
            except Exception as fault:  # counted: it must not come out of whatever let the exception go  # noqa: BLE001
                self.fault(fault)


def _move(counts: Counter[_Counted], there: Counter[_Counted]) -> None:
    if counts:
        there.update(counts)
        counts.clear()
