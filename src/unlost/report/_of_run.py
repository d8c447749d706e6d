"""A run of the main job as a report."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from unlost.batch import DEFAULT_FOLDER, Books, Group, InDoubt
from unlost.batch.journal._failures import Failures
from unlost.errors import Kind
from unlost.observe import headline
from unlost.report._blocked import blocked_line
from unlost.report._paused import paused_line, why_line
from unlost.report._report import MOST_GROUPS, ErrorGroup, Report, Tally
from unlost.report._spent import spent_line
from unlost.report._view import View

_IN_DOUBT = 100  # items that are listed
_SHORT = 6  # digits of a fingerprint that people type


def report_of_run(view: View, meta: Mapping[str, str], failures: Failures) -> Report:
    """
    Return the report of a run.

    Args:
        view: Of its books.
        meta: What the journal says about the run: ``target`` and ``path``.
        failures: When its items failed, in ``SLICES`` slices.
    """
    rest = view.groups[MOST_GROUPS:]
    return Report(
        title=view.run,
        subtitle=f"{meta['target']} over {meta['path']}",
        unit=("item", "items"),
        label="kind",
        tallies=_tallies(view.books),
        groups=tuple(_group(view, group, failures) for group in view.groups[:MOST_GROUPS]),
        more_groups=len(rest),
        more_count=sum(group.count for group in rest),
        began=failures.began,
        ended=failures.ended,
        facts=tuple(_facts(view)),
        lists=((f"In doubt: {view.books.in_doubt:,}", tuple(_in_doubt(view))),) if view.in_doubt else (),
        alarms=tuple(_alarms(view)),
    )


def _tallies(books: Books) -> tuple[Tally, ...]:
    tallies = (
        Tally("ok", books.ok, "good"),
        Tally("failed", books.failed, "bad"),
        Tally("in doubt", books.in_doubt, "doubt"),
        Tally("pending", books.pending, "rest"),
        Tally("withdrawn", books.withdrawn, "rest"),
    )
    return tallies[:3] + tuple(tally for tally in tallies[3:] if tally.count)


def _group(view: View, group: Group, failures: Failures) -> ErrorGroup:
    line = headline(group.error, alone=group.count == 1)
    short = group.fingerprint[:_SHORT]
    return ErrorGroup(
        fingerprint=group.fingerprint,
        title=line.title,
        where=line.where,
        label=group.kind,
        tone="doubt" if group.kind == "transient" else "bad",
        count=group.count,
        hits=failures.counts.get(group.fingerprint, ()),
        example=f"line {group.line}, key {group.key}",
        error=group.error,
        # what is no item is mended in its file: no rerun helps it
        command="" if group.kind == Kind.INPUT.value else _command(view, "retry", "--only", short),
        look=_command(view, "show", short),
        spent=str(group.spent) if group.spent else "",
    )


def _command(view: View, verb: str, *arguments: str) -> str:
    """Return a command as the user would type it in the folder in which this one was typed."""
    folder = view.journal.parent
    elsewhere = () if folder == Path(DEFAULT_FOLDER) else ("--folder", str(folder))
    return shlex.join(("unlost", verb, view.run, *arguments, *elsewhere))


def _facts(view: View) -> Iterator[tuple[str, str]]:
    books = view.books
    blank = f", {books.blank:,} blank lines" if books.blank else ""
    yield "accounted for", f"{books.accounted:,} of {books.inputs:,}{blank}"
    if books.retries:
        yield "retries", f"{books.retries:,}, of which {books.recovered:,} items recovered"
    for line in spent_line(view.spent, books.in_doubt):
        yield "spent", line.removeprefix("spent ")
    for line in paused_line(view.paused):
        yield "held", line.removeprefix("held ")
    for line in blocked_line(view.blocked, view.seconds):
        yield "event loop", line.removeprefix("event loop ")
    yield "journal", str(view.journal)
    if view.results is not None:
        yield "results", str(view.results)
    if view.inputs_purged:
        yield "inputs purged", f"{view.inputs_purged:,}"
    if books.failed > view.no_items:
        yield "run all that failed again", _command(view, "retry")
    if (books.pending or not books.whole) and not view.live:
        yield "go on", _command(view, "resume", *(word for budget in view.budgets for word in ("--budget", budget)))


def _in_doubt(view: View) -> Iterator[str]:
    again = _command(view, "resume", "--in-doubt", "retry")
    yield f"Started, and nobody knows how that ended. To start them again: {again}"
    yield from map(_doubt, view.in_doubt[:_IN_DOUBT])
    if view.books.in_doubt > _IN_DOUBT:
        yield f"and {view.books.in_doubt - _IN_DOUBT:,} more: {_command(view, 'show', '--json')}"


def _doubt(item: InDoubt) -> str:
    started = f", started {item.starts:,} times" if item.starts > 1 else ""
    return f"line {item.line}, key {item.key}{started}"


def _alarms(view: View) -> Iterator[str]:
    if not view.books.balance:
        yield (
            f"The books do not balance: {view.books.accounted:,} of {view.books.inputs:,} inputs are accounted for. "
            "This is an error in unlost; keep the journal, and please report it."
        )
    for line in why_line(view.why):
        yield f"The run {line}."
    if view.live:
        yield "A process writes this run now; what it has under way counts as in doubt."
