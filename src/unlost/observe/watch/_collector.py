"""What was found so far, in bounded memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Final, TypeAlias

from unlost.observe.watch._verdict import Finding, Verdict

MOST: Final = 10_000
"""Findings that are kept; beyond that the oldest go, and are counted."""

Listener: TypeAlias = Callable[[Finding], object]

QUIET: Final = frozenset({Verdict.REPORTED, Verdict.HANDLED, Verdict.CONVERTED})
"""Verdicts that are counted only."""


class Collector:
    """
    Attributes:
        counts: How many exceptions came to each verdict. What was caught at once by who meant it has no tracker and is
            not counted.
        findings: Those that are nobody's good end, the oldest first.
        dropped: How many of these were let go again, for want of room.
        faults: What went wrong in the watching itself, by its type.
        listeners: Called with each finding, at any moment in any thread; what they raise is a fault.
    """

    def __init__(self, most: int = MOST) -> None:
        self.counts: Counter[Verdict] = Counter()
        self.findings: deque[Finding] = deque(maxlen=most)
        self.dropped = 0
        self.faults: Counter[str] = Counter()
        self.listeners: list[Listener] = []

    def count(self, verdict: Verdict) -> None:
        """Count an exception that came to a good end."""
        self.counts[verdict] += 1

    def add(self, finding: Finding) -> None:
        """Count an exception, and keep what became of it."""
        self.counts[finding.verdict] += 1
        if len(self.findings) == self.findings.maxlen:
            self.dropped += 1
        self.findings.append(finding)
        for listener in tuple(self.listeners):
            try:
                listener(finding)
            except Exception as fault:  # counted: it must not come out of whatever let the exception go  # noqa: BLE001
                self.fault(fault)

    def fault(self, error: BaseException) -> None:
        """Count an error of our own."""
        self.faults[f"{type(error).__name__}: {error}"[:200]] += 1
