"""The summary of a run: its books, its errors by group, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from unlost.batch import Books, Group, PutAside, dollars
from unlost.observe import headline
from unlost.report._blocked import blocked_line
from unlost.report._paused import paused_line, why_line
from unlost.report._spent import spent_line
from unlost.report._text import clock_time, columns, one_line, rate, shortened, width
from unlost.report._view import View, exit_code

_GROUPS = 10  # shown; `unlost show` has them all
_WIDTH = 120 - 11  # cells of a line without its indent and the gaps between columns


def summary_as_text(view: View, groups: int | None = _GROUPS) -> str:
    """Return the summary as lines; ``groups`` bounds the number of errors shown."""
    return "\n".join(f" {line}" for line in _lines(view, groups))


def summary_as_json(view: View) -> dict[str, Any]:  # Any: built-ins that JSON can hold
    """Return what the summary says, for programs."""
    return {
        "run": view.run,
        "journal": str(view.journal),
        "results": str(view.results) if view.results else None,
        "how": view.how,
        "live": view.live,
        "seconds": view.seconds,
        "exit": exit_code(view.books, view.how),
        "books": view.books.as_json(),
        "spent": {
            **view.spent.total.as_json(),
            "failed_attempts": view.spent.failed.as_json(),
            "unknown_items": view.books.in_doubt,
        },
        "blocked": view.blocked.as_json() if view.blocked else None,
        "paused": asdict(view.paused),
        "why": view.why,
        "inputs_purged": view.inputs_purged,
        "put_aside": view.put_aside.as_json() if view.put_aside else None,
        "groups": [_group_as_json(group) for group in view.groups],
        "in_doubt": [{**one._asdict(), "survived": list(one.survived)} for one in view.in_doubt],
    }


def _group_as_json(group: Group) -> dict[str, Any]:  # Any: as above
    line = headline(group.error, alone=group.count == 1)
    return {
        "fingerprint": group.fingerprint,
        "count": group.count,
        "kind": group.kind,
        "title": line.title,
        "where": line.where,
        "example": {"key": group.key, "line": group.line},
        "spent": group.spent.as_json(),
    }


def _lines(view: View, groups: int | None) -> Iterator[str]:
    yield _counts(view)
    shown = view.groups[:groups]
    yield from _table(shown)
    if len(view.groups) > len(shown):
        rest = view.groups[len(shown) :]
        yield f"and {len(rest):,} more kinds of error in {sum(group.count for group in rest):,} items"
    yield from spent_line(view.spent, view.books.in_doubt)
    yield from paused_line(view.paused)
    yield from blocked_line(view.blocked, view.seconds)
    books = view.books
    accounted = f"{books.accounted:,} of {books.inputs:,} accounted for{_blank(books)}"
    if not books.inputs and books.whole and view.source:
        yield f"no items in {one_line(view.source)}"
    yield f"journal {one_line(str(view.journal))}   {accounted}"
    if view.results is not None:
        yield f"results {one_line(str(view.results))}"
    if view.inputs_purged:
        yield f"inputs purged: {view.inputs_purged:,}, with what was kept of those items"
    if view.how is None:  # else it was said as it happened
        yield from why_line(view.why)
    yield from _changed(books)
    yield from _put_aside(view.run, view.put_aside)
    yield from _disagreement(books)
    yield from _next(view)


def _blank(books: Books) -> str:
    if not books.blank:
        return ""
    return " (1 blank line)" if books.blank == 1 else f" ({books.blank:,} blank lines)"


def _changed(books: Books) -> Iterator[str]:
    if books.changed == 1:
        yield "1 record has changed since its item began and counts as it was then; --new runs it again"
    elif books.changed:
        yield f"{books.changed:,} records have changed since their items began and count as they were; --new runs all"


def _put_aside(run: str, aside: PutAside | None) -> Iterator[str]:
    """What was to run again, and is no longer there: put back, it is pending."""
    if aside is None:
        return
    what, record = (
        ("1 dead letter", "its record is")
        if aside.count == 1
        else (f"{aside.count:,} dead letters", "their records are")
    )
    yield f"{what} could not run again: {record} not in the source as before, e.g. line {aside.line} then"
    yield f"what stands there now is another item; put back what did, then: unlost resume {run}, unlost retry {run}"


def _counts(view: View) -> str:
    books = view.books
    buckets = [f"{books.ok:,} ok", f"{books.failed:,} failed", f"{books.in_doubt:,} in doubt"]
    if books.pending:
        buckets.append(f"{books.pending:,} pending")
    if books.withdrawn:
        buckets.append(f"{books.withdrawn:,} withdrawn")
    parts = [" · ".join(buckets)]
    if view.seconds is not None:
        parts.append(f"  {clock_time(view.seconds)}")
        if view.ended:
            parts.append(rate(view.ended, view.seconds))
    if books.retries:
        retries = "retry" if books.retries == 1 else "retries"
        parts.append(f"{books.retries:,} {retries} ({books.recovered:,} recovered)")
    return "   ".join(parts)


def _table(groups: list[Group]) -> Iterator[str]:
    if not groups:
        return
    lines = [headline(group.error, alone=group.count == 1) for group in groups]
    paid = any(group.spent for group in groups)
    fixed = [
        (f"#{number}", f"{group.count:,}×", f"e.g. line {group.line}", *_price(group, paid=paid), group.fingerprint[:6])
        for number, group in enumerate(groups, 1)
    ]
    room = _WIDTH - 2 * paid - sum(max(map(width, column)) for column in zip(*fixed, strict=True))
    title, where = _shares(room, max(width(line.title) for line in lines), max(width(line.where) for line in lines))
    rows = [
        (number, count, shortened(line.title, title), shortened(line.where, where), *rest)
        for (number, count, *rest), line in zip(fixed, lines, strict=True)
    ]
    yield from columns(rows, right=frozenset({0, 1}))


def _price(group: Group, *, paid: bool) -> tuple[str, ...]:
    """Return the cell that says what the group cost, none where no group cost anything."""
    if not paid:
        return ()
    spent = group.spent
    return (f"{spent.tokens:,} tokens" if spent.tokens and not spent.nano_usd else dollars(spent.nano_usd),)


def _shares(room: int, title: int, where: int) -> tuple[int, int]:
    """Return how many cells titles and places get of what they want; who wants little leaves the rest to the other."""
    if title + where > room:
        where = min(where, max(room - title, room // 2))
        title = min(title, room - where)
    return title, where


def _disagreement(books: Books) -> Iterator[str]:
    if books.balance:
        return
    yield (
        f"THE BOOKS DO NOT BALANCE: {books.inputs:,} inputs, but {books.ok:,} ok + {books.failed:,} failed"
        f" + {books.in_doubt:,} in doubt + {books.pending:,} pending + {books.withdrawn:,} withdrawn"
        f" = {books.accounted:,}"
    )
    if books.read not in (None, books.seen):
        yield f"the source was read as {books.read:,} records, of which the journal has {books.seen:,}"
    yield "This is an error in unlost. Keep the journal, and please report it"


def _next(view: View) -> Iterator[str]:
    """What to type next; the last line ends with the exit code."""
    books, lines = view.books, list(_dead_letters(view))
    if view.live:
        lines.append("a process writes this run now; what it has under way counts as in doubt")
    elif books.in_doubt:
        lines.append(f"in doubt {books.in_doubt:,}: unlost show {view.run}")
        lines.append(f"start them again: unlost resume {view.run} --in-doubt retry{_budgets(view)}")
    if (books.pending or not books.whole) and not view.live:
        lines.append(f"{_why_go_on(view)}: unlost resume {view.run}{_budgets(view)}")
    if view.how is None:
        yield from lines
        return
    code = f"exit {exit_code(books, view.how)}"
    yield from lines[:-1]
    yield f"{lines[-1]}      {code}" if lines else code


def _dead_letters(view: View) -> Iterator[str]:
    """What to do about them: a line that is no item is mended in its file; to run it again would change nothing."""
    failed = view.books.failed
    if not failed:
        return
    lines = view.no_items
    shown = f"dead letters {failed:,}: unlost show {view.run}"
    if lines < failed:
        yield f"{shown} · run them again: unlost retry {view.run}{_budgets(view)}"
        shown = f"of them no items: {lines:,}"
    if lines:
        yield f"{shown} · mend {'that line' if lines == 1 else 'those lines'} and run the file again"


def _why_go_on(view: View) -> str:
    if view.books.pending or view.first is None:
        return "go on" if view.books.whole else "the source is not read to its end; go on"
    return (
        "the first input has ended, as --first said; all"
        if view.first == 1
        else (f"the first {view.first:,} inputs have ended, as --first said; all")
    )


def _budgets(view: View) -> str:
    """What a command needs besides where the run has spent its budget: without it, it would start nothing."""
    return "".join(f" --budget {budget}" for budget in view.budgets)
