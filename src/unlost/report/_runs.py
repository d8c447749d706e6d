"""The list of runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from unlost.report._summary import summary_as_json
from unlost.report._text import columns, one_line
from unlost.report._view import Entry

_HEAD = ("run", "ok", "failed", "in doubt", "pending", "state", "begun", "target", "source")


def runs_as_text(entries: list[Entry]) -> str:
    """Return a table with a line for each run."""
    rows = [_HEAD, *(_row(entry) for entry in entries)]
    return "\n".join(columns(rows, right=frozenset({1, 2, 3, 4})))


def runs_as_json(entries: list[Entry]) -> list[dict[str, Any]]:  # Any: built-ins that JSON can hold
    """Return a summary of each run, with target and source."""
    return [
        {
            **summary_as_json(entry.view),
            "target": entry.target,
            "source": entry.source,
            "created": entry.created,
            "state": _state(entry),
        }
        for entry in entries
    ]


def _row(entry: Entry) -> tuple[str, ...]:
    books = entry.view.books
    counts = (f"{count:,}" for count in (books.ok, books.failed, books.in_doubt, books.pending))
    begun = datetime.fromtimestamp(entry.created).astimezone().strftime("%Y-%m-%d %H:%M")
    state = _state(entry)
    if state == "unfinished" and entry.view.first is not None and not (books.pending or books.in_doubt):
        state = f"first {entry.view.first:,}"  # which is all that was asked for
    return (entry.view.run, *counts, state, begun, one_line(entry.target), one_line(entry.source))


def _state(entry: Entry) -> str:
    books = entry.view.books
    if entry.view.live:
        return "running"
    if not books.balance:
        return "unbalanced"
    return "unfinished" if books.pending or books.in_doubt or not books.whole else "complete"
