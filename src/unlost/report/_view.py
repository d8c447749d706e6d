"""What there is to say about a run, before any medium is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from unlost.batch import NEVER_PAUSED, NOTHING_SPENT, Blocked, Books, Group, How, InDoubt, Paused, PutAside, Spent

EXIT_CODES: Mapping[int, str] = MappingProxyType(
    {
        0: "all ok",
        1: "some failed, are in doubt or pending",
        2: "the command is not what it should be; nothing was started",
        3: "halted: the run stopped by itself",
        4: "interrupted: Ctrl-C or SIGTERM",
        5: "the books do not balance",
    }
)


@dataclass(frozen=True, slots=True)
class View:
    """
    One run.

    Attributes:
        run: Its name.
        journal: Its file, as the user would type it.
        books: Where every input is.
        groups: The errors of its dead letters.
        in_doubt: The first items in doubt.
        how: How this opening ended; None where the run is only looked at.
        seconds: How long this opening took; None likewise.
        ended: How many items ended in this opening.
        results: The results file, if there is one.
        live: Whether a process writes the run now.
        blocked: How long the event loop did not turn in this opening; None where the run is only looked at.
        spent: What its attempts said they spent, in all openings.
        inputs_purged: How many inputs of items that are ok were deleted out of the journal.
        paused: What held it, in all openings.
        why: Why the last opening stopped by itself; None where it did not.
        source: What was read, as the user would name it; empty where that is not known.
        first: So many inputs were asked for, read, and no more; None where that is not why the source was not read on.
        budgets: What to give as budgets so that the run can go on, where one is spent: ``usd=100``.
        no_items: How many of the dead letters were refused as they were read, and were never started.
        put_aside: Dead letters that were to run again and are no longer in the source.
    """

    run: str
    journal: Path
    books: Books
    groups: list[Group]
    in_doubt: list[InDoubt]
    how: How | None = None
    seconds: float | None = None
    ended: int = 0
    results: Path | None = None
    live: bool = False
    blocked: Blocked | None = None
    spent: Spent = NOTHING_SPENT
    inputs_purged: int = 0
    paused: Paused = NEVER_PAUSED
    why: str | None = None
    source: str = ""
    first: int | None = None
    budgets: tuple[str, ...] = ()
    no_items: int = 0
    put_aside: PutAside | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line in the list of runs."""

    view: View
    target: str
    source: str
    created: float


def exit_code(books: Books, how: How | None) -> int:
    """Return the exit code: the highest of those that apply."""
    applicable = [0]
    if books.failed or books.in_doubt or books.pending:
        applicable.append(1)
    if how == "halted":
        applicable.append(3)
    if how in ("stopped", "cancelled"):
        applicable.append(4)
    if not books.balance:
        applicable.append(5)
    return max(applicable)
