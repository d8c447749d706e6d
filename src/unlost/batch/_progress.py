"""Where a run stands, as integers that change with each acknowledged outcome."""

from __future__ import annotations

from dataclasses import dataclass

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
        retries: Attempts beyond the first, in this opening.
        recovered: Items of this opening that ended with a value after a failed attempt.
        done_before: How many items had ended when this opening began.
    """

    known: int = 0
    scanned: bool = False
    ok: int = 0
    failed: int = 0
    running: int = 0
    retries: int = 0
    recovered: int = 0
    done_before: int = 0

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

    @property
    def done(self) -> int:
        return self.ok + self.failed
