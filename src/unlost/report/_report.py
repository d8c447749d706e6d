"""What there is to say about the errors of a run, a test session or a program, before any medium is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from unlost.observe import ErrorRecord

if TYPE_CHECKING:  # a run has no need of the observer
    from unlost.observe.watch import Origin

SLICES: Final = 60
"""Into so many equal parts the time of a report is cut."""

MOST_GROUPS: Final = 500
"""Groups that a report has; the rest is counted."""

Tone: TypeAlias = Literal["good", "bad", "doubt", "rest"]


@dataclass(frozen=True, slots=True)
class Tally:
    """One bucket of the verdict bar; ``tone`` is what to make of it."""

    name: str
    count: int
    tone: Tone


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """
    Errors that are one bug.

    Attributes:
        fingerprint: In full; the first six digits are shown.
        title: What it is, in a line.
        where: In which place of the user's code; empty where that is not known.
        label: Its kind (``transient``), or what became of it (``lost``).
        tone: What to make of the label.
        count: How many there were.
        hits: How many in each slice of the report's time; empty where that is not known.
        example: Which one is shown: ``line 17, key a``.
        error: Of that one; None where there was no exception.
        ended: What became of it, in a sentence; empty where the label says it all.
        origin: The task that it left; None where none is known.
        command: What runs just these again; empty where nothing does.
        look: What shows the group in full; empty where nothing does.
        spent: What they cost; empty where nothing was said.
        keys: By which these are forgiven.
        instead: What to write instead, in a line; empty where there is nothing to say.
    """

    fingerprint: str
    title: str
    where: str
    label: str
    tone: Tone
    count: int
    hits: Sequence[int] = ()
    example: str = ""
    error: ErrorRecord | None = None
    ended: str = ""
    origin: Origin | None = None
    command: str = ""
    look: str = ""
    spent: str = ""
    keys: Sequence[str] = ()
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """
    A run, a test session or a program.

    Attributes:
        title: Its name.
        subtitle: What was run, in a line; may be empty.
        unit: What is counted, for one and for many: ``("item", "items")``.
        label: What the groups' labels are: ``kind`` or ``verdict``.
        tallies: The verdict bar.
        groups: The worst first.
        more_groups: How many groups more there are than ``groups``.
        more_count: How many errors are in those.
        began: In seconds since the epoch; None where that is not known.
        ended: Likewise.
        facts: Name and value of what else there is to know.
        lists: Title and lines of what is neither good nor an error: what is in doubt, what could not be seen.
        alarms: What must not be overlooked, a sentence each.
    """

    title: str
    subtitle: str
    unit: tuple[str, str]
    label: str
    tallies: tuple[Tally, ...]
    groups: tuple[ErrorGroup, ...] = ()
    more_groups: int = 0
    more_count: int = 0
    began: float | None = None
    ended: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    lists: tuple[tuple[str, tuple[str, ...]], ...] = ()
    alarms: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many there are in all tallies."""
        return sum(tally.count for tally in self.tallies)

    def counted(self, count: int) -> str:
        """Return the count with its unit."""
        return f"{count:,} {self.unit[count != 1]}"
