"""The table of groups: a row for each, and behind it the detail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlost.report._report import ErrorGroup, Report
from unlost.report.html._detail import Detail, detail
from unlost.report.html._spark import spark
from unlost.report.html._text import brief

_TITLE: Final = 160  # bytes, as those below
_WHERE: Final = 120
_EXAMPLE: Final = 80
_SHORT: Final = 6

_HEAD: Final = """<table class="groups"><caption>{caption}</caption><thead><tr><th scope="col">#</th>
<th scope="col">error</th><th scope="col">count</th><th scope="col">{label}</th><th scope="col">when</th>
<th scope="col">example</th><th scope="col">group</th></tr></thead>
"""


class Row:
    """One group in the table: what it always takes, and its detail within the room that there is."""

    def __init__(self, report: Report, number: int, group: ErrorGroup, parts: Detail) -> None:
        self._group = group
        self._parts = parts
        self.head = "".join(_row(report, number, group))
        self.begin = f'<tr><td colspan="7"><details><summary>Trace of #{number}</summary>\n'

    def html(self, trace_room: int, why_room: int) -> Iterator[str]:
        yield self.head
        yield self.begin
        yield from detail(self._group, self._parts, trace_room, why_room)
        yield "</details></td></tr></tbody>\n"


def table_head(report: Report) -> str:
    """Return how the table begins."""
    count = sum(group.count for group in report.groups)
    kinds = "1 kind" if len(report.groups) == 1 else f"{len(report.groups):,} kinds"
    return _HEAD.format(caption=f"{kinds} of error in {report.counted(count)}", label=report.label)


def table_end(report: Report) -> str:
    """Return how it ends."""
    if not report.more_groups:
        return "</table>\n"
    return f"</table>\n<p>and {report.more_groups:,} more kinds of error in {report.counted(report.more_count)}</p>\n"


def _row(report: Report, number: int, group: ErrorGroup) -> Iterator[str]:
    where = f"<small>{brief(group.where, _WHERE)}</small>" if group.where else ""
    yield f'<tbody><tr><td>{number}</td><th scope="row">{brief(group.title, _TITLE)}{where}</th><td>{group.count:,}</td>'
    yield f'<td class="{group.tone}">{brief(group.label, _EXAMPLE)}</td><td>{spark(report, group)}</td>'
    yield f"<td>{brief(group.example, _EXAMPLE)}</td><td><code>{brief(group.fingerprint[:_SHORT], _EXAMPLE)}</code></td></tr>\n"
