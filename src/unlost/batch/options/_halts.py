"""When failures stop the run, as GNU parallel writes it: ``soon,fail=10``, ``now,fail=5%``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HALT = re.compile(r"\s*(?P<when>now|soon)\s*,\s*fail\s*=\s*(?P<number>\d+(?:\.\d*)?|\.\d+)\s*(?P<percent>%?)\s*")

FINISHED = 20
"""Items that must have finished before a percentage of them counts."""


@dataclass(frozen=True, slots=True)
class Halt:
    """
    When the run stops by itself.

    Attributes:
        now: Cancel what runs; else it goes on to its end.
        failures: So many failed items; None where a share counts.
        share: Of the finished items, above 0 and at most 1, once ``FINISHED`` of them have finished; None likewise.
    """

    now: bool
    failures: int | None
    share: float | None

    def applies(self, failed: int, finished: int) -> bool:
        """Tell whether so many failed items out of so many finished ones stop the run."""
        if self.failures is not None:
            return failed >= self.failures
        assert self.share is not None
        return finished >= FINISHED and failed >= self.share * finished


def halt_of(text: str) -> Halt:
    """
    Read when to stop.

    Raises:
        ValueError: It does not say.
    """
    match = _HALT.fullmatch(text)
    number = float(match["number"]) if match else 0.0
    percent = match is not None and match["percent"] == "%"
    if match is None or number <= 0 or (percent and number > 100) or (not percent and number != int(number)):
        raise ValueError("expected now,fail=N or soon,fail=N or a share such as soon,fail=5%")
    return Halt(match["when"] == "now", None if percent else int(number), number / 100 if percent else None)


def read_halt(value: object) -> str:
    """
    Check a text; return it.

    Raises:
        ValueError: It does not say when to stop.
    """
    halt_of(str(value))
    return str(value)
