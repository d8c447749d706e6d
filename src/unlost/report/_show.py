"""A run that is looked at: its summary, what is in doubt, and where to look next."""

from __future__ import annotations

from collections.abc import Iterator

from unlost.batch import InDoubt
from unlost.report._summary import summary_as_text
from unlost.report._text import one_line
from unlost.report._view import View

_SHOWN = 20  # items in doubt that are listed


def run_as_text(view: View) -> Iterator[str]:
    """Yield lines: the summary with every group, the first items in doubt, and how to see an error in full."""
    yield summary_as_text(view, groups=None)
    for item in view.in_doubt[:_SHOWN]:
        yield from _in_doubt(item)
    if view.books.in_doubt > _SHOWN:
        yield f"   and {view.books.in_doubt - _SHOWN:,} more in doubt: unlost show {view.run} --json"
    if view.groups:
        yield f" one error in full: unlost show {view.run} {view.groups[0].fingerprint[:6]}"


def _in_doubt(item: InDoubt) -> Iterator[str]:
    started = f"   started {item.starts:,} times" if item.starts > 1 else ""
    yield f"   in doubt: line {item.line:<8} key {one_line(item.key)}{started}"
    if item.survived:
        last = item.survived[-1]
        failed = "1 attempt" if len(item.survived) == 1 else f"{len(item.survived)} attempts"
        yield f"      after {failed} that failed, the last with {one_line(last['title'])}    {one_line(last['where'])}"
