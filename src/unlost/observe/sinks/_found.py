"""What the observer found, as a report: the exception is gone by then, and its record is made of what was kept."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from unlost._core._clock import wall
from unlost.observe._leaving import leaving
from unlost.observe._place import base_name
from unlost.observe._redact import Redactor
from unlost.observe._schema import VERSION, ErrorRecord, FrameRecord
from unlost.observe._text import cut_redacted
from unlost.observe.fingerprints import digest
from unlost.observe.sinks._report import Report, redactor_of
from unlost.observe.watch import Finding, Notice, Origin, Site, Verdict

_TEXT: Final = 4000
_NAME: Final = 200
_NO_KIND: Final = "unknown"  # there was no asking the error while it was there

_SENTENCES: Final = {
    Verdict.LOST: ("lost", "nobody ever took it"),
    Verdict.UNDELIVERED: ("undelivered", "it was still held when the program ended"),
    Verdict.SWALLOWED: ("swallowed", "who caught it would have caught anything, and did not look at it"),
    Verdict.RETURNED: ("returned as a value", "nobody raised or logged it after"),
    Verdict.ABSORBED: ("absorbed", "what waited for its task took it, and it died unseen"),
}
"""What it is, and what that means."""
_HOLDERS: Final = ("a ", "an ")  # a future, an executor: it lies in there; all else took it


def found(finding: Finding | Notice, *, redact: bool | Redactor = True) -> Report:
    """Return the report of what was found; it is told by the same rules as ``report_of``'s."""
    mask = redactor_of(redact)
    origin = finding.origin
    if origin is not None:
        origin = Origin(cut_redacted(origin.task, _NAME, mask), origin.spawned)
    if isinstance(finding, Notice):
        what = cut_redacted(finding.text, _TEXT, mask)
        place = f"{finding.site.file} {finding.site.function}" if finding.site else what
        key = sha256(f"{finding.kind} {place}".encode()).hexdigest()
        told = f"{what}, during {cut_redacted(finding.during, _NAME, mask)}" if finding.during else what
        return Report(told, finding.kind, None, key, finding.at or wall(), site=finding.site, origin=origin)
    error = _record(finding, mask)
    return Report(
        _sentence(finding, mask), finding.verdict.value, error, digest(error), finding.at,
        by=finding.by, site=finding.site, origin=origin,
    )  # fmt: skip


def _sentence(finding: Finding, mask: Redactor | type[str]) -> str:
    subject = "a cancellation was " if finding.cancellation else ""
    verdict, meaning = _SENTENCES.get(finding.verdict, (finding.verdict.value, ""))
    by = f" {'in' if finding.by.startswith(_HOLDERS) else 'by'} {finding.by}" if finding.by else ""
    where = f" at {_spot(finding.site)}" if finding.site else ""
    during = f" during {cut_redacted(finding.during, _NAME, mask)}" if finding.during else ""
    return f"{subject}{verdict}{by}{where}{during}{meaning and ': '}{meaning}"


def _spot(site: Site) -> str:
    return f"{base_name(site.file)}:{site.line} in {site.function}"


def _record(finding: Finding, mask: Redactor | type[str]) -> ErrorRecord:
    return {
        "version": VERSION,
        "type": {"module": finding.type.module, "qualname": finding.type.qualname},
        "message": leaving(finding.text, mask),
        "kind": finding.kind or _NO_KIND,
        "frames": [_frame(site) for site in finding.frames],
    }


def _frame(site: Site) -> FrameRecord:
    return {
        "file": site.file, "module": site.module, "function": site.function, "line": site.line, "app": site.app,
    }  # fmt: skip
