"""Reports for the tests of their media."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.views import raised
from unlost.observe import digest, headline, record
from unlost.report import SLICES, ErrorGroup, Report, Tally

HOSTILE = (
    "</script></style><img src=x onerror=alert(1)>\"' onload=alert(2) --> \u202eevil\u2066\x00\x1b[2J ]]> &amp; \u2028"
)
"""What a page must not take for anything but text."""

BEGAN = 1_800_000_000.0

NOTHING = Report("fetch-3", "jobs:fetch over urls.jsonl", ("item", "items"), "kind", (Tally("ok", 9, "good"),))


def group_of(error: BaseException, count: int = 1, **what: Any) -> ErrorGroup:  # Any: fields of ErrorGroup
    recorded = record(error)
    line = headline(recorded)
    key = digest(recorded)
    hits = tuple((place * 7 + count) % 5 for place in range(SLICES))
    group = ErrorGroup(
        key, line.title, line.where, "transient", "doubt", count, hits=hits, error=recorded,
        example="line 17, key a", command=f"unlost retry fetch-3 --only {key[:6]}",
        look=f"unlost show fetch-3 {key[:6]}",
    )  # fmt: skip
    return replace(group, **what)


def report_of(*groups: ErrorGroup, **what: Any) -> Report:  # Any: fields of Report
    failed = sum(group.count for group in groups)
    tallies = (Tally("ok", 9000, "good"), Tally("failed", failed, "bad"), Tally("in doubt", 3, "doubt"))
    report = replace(NOTHING, tallies=tallies, groups=groups, began=BEGAN, ended=BEGAN + 3600)
    return replace(report, facts=(("journal", ".unlost/fetch-3.db"),), **what)


def many(count: int, text: str = "page {} of the catalogue could not be read") -> Report:
    """A report with so many groups, each with a cause and a few members."""
    return report_of(*(group_of(_nested(number, text), 1 + (count - number) ** 2 // 40) for number in range(count)))


def _nested(number: int, text: str) -> BaseException:
    function = f"fetch_{number}"
    error = raised(RuntimeError(text.format(number)), line=10 + number, function=function)
    error.__cause__ = raised(ConnectionError(text.format(-number)), file="client.py", function="send")
    if number % 10 == 0:
        members = [ValueError(text.format(number)), error, TypeError(text.format(1))]
        return raised(ExceptionGroup(f"both {number}", members), line=5, function=function)
    return error
