"""What a sink is given: an error as a record, and what became of it; never the error itself, nor its frames."""

from __future__ import annotations

from collections.abc import Collection
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from unlost._core._clock import wall
from unlost.errors import recall
from unlost.observe._record import record
from unlost.observe._redact import Redactor
from unlost.observe._redact import redact as default_redactor
from unlost.observe._schema import ErrorRecord
from unlost.observe._text import cut_redacted
from unlost.observe.fingerprints import digest
from unlost.observe.watch import Origin, Site, ended_at

REPORTED: Final = "reported"
"""The verdict of an error that an operation had nobody to give to, so that it came here."""

HELD_BACK: Final = "held back"
"""The verdict of a report that only counts what was not told."""

SEEN_BY: Final = "seen by"
"""Under this key an exception has the names of the services that were sent it already."""

_WHAT: Final = 2000

Key: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """
    One error and what became of it, or how many more there were of a kind.

    Attributes:
        what: In a sentence: in which operation, or which verdict and where.
        verdict: In a word: ``reported`` where an operation had no owner to give its error to, one of ``Verdict``'s
            values, a notice's kind, or ``held back`` where this only counts what was not told.
        error: Without secrets; None where there was no exception.
        digest: 64 hex digits, the fingerprint of the bug; empty where nothing has one.
        at: When, in seconds since the epoch.
        by: Who took it, in words; empty where nobody did.
        site: Where it ended: who swallowed it; None where nobody did.
        origin: The task that it left; None where none is known.
        seen_by: Services that were sent the exception before, by others.
        repeats: 0, or how many like it this report stands for, which were not told one by one.
        seconds: In what time these were.
        context: The variables of the code that reported, which the sinks are run in; None where it was nobody's code.
    """

    what: str
    verdict: str
    error: ErrorRecord | None
    digest: str
    at: float
    by: str = ""
    site: Site | None = None
    origin: Origin | None = None
    seen_by: tuple[str, ...] = ()
    repeats: int = 0
    seconds: float = 0.0
    context: Context | None = field(default=None, repr=False, compare=False)

    @property
    def fingerprint(self) -> str:
        """What is shown of the digest."""
        return self.digest[:6]

    @property
    def key(self) -> Key:
        """Reports with the same key are told once: the same bug, which ended in the same way at the same place."""
        place = ended_at(self.site, self.origin)
        file, function = (place.file, place.function) if place else ("", "")
        return (self.digest or self.what, self.verdict, file, function)


def report_of(error: BaseException, what: str, *, redact: bool | Redactor = True, own: Collection[str] = ()) -> Report:
    """Return the report of an error that an operation had nobody to give to; arguments are ``record``'s."""
    recorded = record(error, redact=redact, own=own)
    sentence = cut_redacted(what, _WHAT, redactor_of(redact))
    seen_by = recall(error, SEEN_BY) or ()
    return Report(sentence, REPORTED, recorded, digest(recorded), wall(), seen_by=seen_by, context=copy_context())


def counted(what: str, repeats: int, seconds: float, like: Report | None = None) -> Report:
    """Return a report that counts, of errors ``like`` one if they are, else of all sorts."""
    if like is None:
        return Report(what, HELD_BACK, None, "", wall(), repeats=repeats, seconds=seconds)
    return replace(like, what=what, at=wall(), repeats=repeats, seconds=seconds)


def brief(report: Report) -> Report:
    """Return what has to be kept of a report to count others like it: little, however large the error was."""
    error = report.error
    if error is not None:
        error = {**error, "message": error["message"][:400], "frames": error["frames"][-1:]}
        for slot in ("notes", "cause", "context", "members", "attempts", "errors", "cut"):
            error.pop(slot, None)  # type: ignore[misc]  # a loop over literals, which mypy takes for any str
    return replace(report, error=error, context=None)


def redactor_of(redact: bool | Redactor) -> Redactor | type[str]:
    """Return what masks secrets, as ``record`` takes its argument."""
    return str if redact is False else default_redactor if redact is True else redact
