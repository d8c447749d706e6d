"""Where a run stands: counts that change with each acknowledged outcome, and what holds it now."""

from __future__ import annotations

from dataclasses import dataclass, field

from unlost.batch._blocked import NEVER, Blocked
from unlost.batch._top_errors import TopErrors
from unlost.batch.journal._journal import Ended
from unlost.batch.journal._opening import Opening


@dataclass(slots=True)
class Progress:
    """
    Counts of one opening of a run; read it at any time.

    Attributes:
        known: Items that the journal knows so far.
        scanned: Whether that is all of them.
        ok: Items that ended with a value, in earlier openings too.
        failed: Items that ended with an error, in earlier openings too.
        running: Items that are started and have not ended.
        waiting: How many of these wait, for a rate, a rest or an outage: no call of them is under way.
        retries: Attempts beyond the first, in this opening.
        recovered: Items of this opening that ended with a value after a failed attempt.
        done_before: How many items had ended when this opening began.
        nano_usd: What the run has spent, in billionths of a dollar, in earlier openings too.
        pause: Why nothing starts now (a rest that a server asked for, an outage), without numbers that change; None:
            nothing holds the run.
        pause_until: When that ends or is looked at again, as ``loop.time()`` has it; None: nobody knows.
        blocked: How long the event loop did not turn in this opening, and where.
        errors: The most frequent errors of items that failed in this opening.
    """

    known: int = 0
    scanned: bool = False
    ok: int = 0
    failed: int = 0
    running: int = 0
    waiting: int = 0
    retries: int = 0
    recovered: int = 0
    done_before: int = 0
    nano_usd: int = 0
    pause: str | None = None
    pause_until: float | None = None
    blocked: Blocked = NEVER
    errors: TopErrors = field(default_factory=TopErrors)

    def start_from(self, opening: Opening) -> None:
        """Count what earlier openings left."""
        self.ok, self.failed = opening.ok, opening.failed
        self.done_before = opening.ok + opening.failed

    def count(self, ended: Ended) -> None:
        """Count an outcome."""
        self.ok += ended.ok
        self.failed += not ended.ok
        self.retries += max(0, ended.attempts - 1)
        self.recovered += ended.ok and ended.attempts > 1
        if not ended.ok:
            self.errors.count(ended)

    @property
    def done(self) -> int:
        return self.ok + self.failed
