"""Runs in a folder as views for the reports."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from unlost.batch import (
    Blocked,
    Books,
    Folder,
    How,
    is_held,
    larger_budgets,
    read_books,
    read_first,
    read_groups,
    read_in_doubt,
    read_no_items,
    read_note,
    read_options,
    read_paused,
    read_put_aside,
    read_results_file,
    read_spent,
    read_why,
)
from unlost.errors import UsageError
from unlost.report import View

_IN_DOUBT = 1000  # items in doubt that a view holds


def view_of(
    folder: Folder,
    run: str,
    *,
    how: How | None = None,
    seconds: float | None = None,
    ended: int = 0,
    results: Path | None = None,
    blocked: Blocked | None = None,
) -> View:
    """
    Read a run's journal.

    Raises:
        UsageError: There is none, or it cannot be read.
    """
    with folder.open(run) as connection:
        if connection is None:
            raise UsageError(f"run {run} died before anything was written. Type the command that started it again.")
        meta: dict[str, str] = dict(connection.execute("SELECT name, value FROM meta"))
        given, books, spent = read_options(connection)["given"], read_books(connection), read_spent(connection)
        return View(
            run=run,
            journal=folder.shown(run),
            books=books,
            groups=read_groups(connection),
            in_doubt=list(islice(read_in_doubt(connection), _IN_DOUBT)),
            how=how,
            seconds=seconds,
            ended=ended,
            results=_shown(str(results) if results else read_results_file(connection)),
            blocked=blocked,
            live=how is None and is_held(folder.lock(run)),
            spent=spent,
            inputs_purged=read_note(connection).get("inputs", 0),
            paused=read_paused(connection),
            why=read_why(connection),
            source=_source_of(meta),
            first=_first(books, read_first(connection)),
            budgets=larger_budgets(given.get("budget", ()), spent.total),
            no_items=read_no_items(connection),
            put_aside=read_put_aside(connection),
        )


def _source_of(meta: Mapping[str, str]) -> str:
    kind, colon, _hash = meta["source"].partition(":")
    if colon and kind in ("stdin", "items"):
        return "standard input" if kind == "stdin" else "the items"
    return str(_shown(meta["path"]))


def _first(books: Books, first: int | None) -> int | None:
    """Return what ``--first`` said, where the source was read as far as that, and not merely as far as the run came."""
    return first if not books.whole and books.read == first else None


def _shown(path: str | None) -> Path | None:
    """Return a path as the user would type it."""
    if path is None:
        return None
    found, here = Path(path), Path.cwd()
    return found.relative_to(here) if found.is_relative_to(here) else found
