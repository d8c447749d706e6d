"""Runs in a folder as views for the reports."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from unlost.batch import (
    Blocked,
    Folder,
    How,
    is_held,
    read_books,
    read_groups,
    read_in_doubt,
    read_note,
    read_paused,
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
        return View(
            run=run,
            journal=folder.shown(run),
            books=read_books(connection),
            groups=read_groups(connection),
            in_doubt=list(islice(read_in_doubt(connection), _IN_DOUBT)),
            how=how,
            seconds=seconds,
            ended=ended,
            results=results or _shown(read_results_file(connection)),
            blocked=blocked,
            live=how is None and is_held(folder.lock(run)),
            spent=read_spent(connection),
            inputs_purged=read_note(connection).get("inputs", 0),
            paused=read_paused(connection),
            why=read_why(connection),
        )


def _shown(path: str | None) -> Path | None:
    """Return a path as the user would type it."""
    if path is None:
        return None
    found, here = Path(path), Path.cwd()
    return found.relative_to(here) if found.is_relative_to(here) else found
