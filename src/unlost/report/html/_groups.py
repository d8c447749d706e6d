"""The table of groups: a row for each, and behind it the detail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from unlost.report._report import ErrorGroup, Report
from unlost.report.html._detail import Detail
from unlost.report.html._room import fair
from unlost.report.html._spark import spark
from unlost.report.html._text import brief, size

_TITLE: Final = 160  # bytes, as those below
_WHERE: Final = 120
_CELL: Final = 80
_SHORT: Final = 6
_WHY: Final = 4  # why groups are groups gets one part in so many of the room

_HEAD: Final = """<table class="groups"><caption>{caption}</caption><thead><tr><th scope="col">#</th>
<th scope="col">error</th><th scope="col">count</th><th scope="col">{label}</th><th scope="col">when</th>
<th scope="col">example</th><th scope="col">group</th></tr></thead>
"""
_BEGIN: Final = '<tr><td colspan="7"><details><summary>Trace of #{number}</summary>\n'
_END: Final = "</details></td></tr></tbody>\n"


def table(report: Report, room: int) -> Iterator[str]:
    """Yield the table, which takes at most so many bytes; groups without any room are counted."""
    rows, left = _rows(report, room)
    missing = report.groups[len(rows) :]
    shown = replace(
        report,
        groups=report.groups[: len(rows)],
        more_groups=report.more_groups + len(missing),
        more_count=report.more_count + sum(group.count for group in missing),
    )
    whys = fair([row.detail.why.need for row in rows], left // _WHY)
    traces = fair([row.detail.trace.need for row in rows], left - sum(min(whys, row.detail.why.need) for row in rows))
    yield _head(shown)
    for row in rows:
        yield from row.html(traces, whys)
    yield _foot(shown)


def _rows(report: Report, room: int) -> tuple[list[_Row], int]:
    """Return as many rows as fit without their long parts, and the room that is left for those."""
    left = room - size(_head(report)) - size(_foot(report)) - _CELL
    rows: list[_Row] = []
    for number, group in enumerate(report.groups, 1):
        row = _Row(report, number, group)
        if row.least > left:
            break
        left -= row.least
        rows.append(row)
    return rows, left


class _Row:
    """One group in the table: what it always takes, and its detail within the room that there is."""

    def __init__(self, report: Report, number: int, group: ErrorGroup) -> None:
        self.detail = Detail(group)
        self._head = "".join(_row(report, number, group)) + _BEGIN.format(number=number)
        self.least = sum(map(size, self.html(0, 0)))

    def html(self, trace_room: int, why_room: int) -> Iterator[str]:
        yield self._head
        yield from self.detail.html(trace_room, why_room)
        yield _END


def _row(report: Report, number: int, group: ErrorGroup) -> Iterator[str]:
    where = f"<small>{brief(group.where, _WHERE)}</small>" if group.where else ""
    yield f'<tbody><tr><td>{number}</td><th scope="row">{brief(group.title, _TITLE)}{where}</th>'
    yield f'<td>{group.count:,}</td><td class="{group.tone}">{brief(group.label, _CELL)}</td>'
    yield f"<td>{spark(report, group)}</td><td>{brief(group.example, _CELL)}</td>"
    yield f"<td><code>{brief(group.fingerprint[:_SHORT], _CELL)}</code></td></tr>\n"


def _head(report: Report) -> str:
    count = sum(group.count for group in report.groups)
    kinds = "1 kind" if len(report.groups) == 1 else f"{len(report.groups):,} kinds"
    return _HEAD.format(caption=f"{kinds} of error in {report.counted(count)}", label=report.label)


def _foot(report: Report) -> str:
    if not report.more_groups:
        return "</table>\n"
    return f"</table>\n<p>and {report.more_groups:,} more kinds of error in {report.counted(report.more_count)}</p>\n"
