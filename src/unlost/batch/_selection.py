"""Whether there is anything to run again, said before anything is started."""

from __future__ import annotations

from unlost.batch._folder import Folder
from unlost.batch.journal._again import Again
from unlost.batch.journal._books import read_books, read_groups
from unlost.batch.journal._not_run import read_no_items
from unlost.errors import UsageError


def check_again(folder: Folder, run: str, again: Again) -> None:
    """
    Refuse a choice that no item of the run can meet.

    Raises:
        UsageError: There are no such dead letters, and nothing in doubt is asked for; it says what there is.
    """
    with folder.open(run) as connection:
        if connection is None:
            raise UsageError(f"run {run} died before anything was written. Type the command that started it again.")
        items = "SELECT DISTINCT fingerprint FROM outcome WHERE NOT ok AND item IN (SELECT item FROM claim)"
        started = {fingerprint for (fingerprint,) in connection.execute(items)}
        groups = [group for group in read_groups(connection) if group.fingerprint in started]
        books, refused = read_books(connection), read_no_items(connection)
    chosen = [
        group
        for group in groups
        if group.fingerprint.startswith(again.fingerprint or "") and group.kind == (again.kind or group.kind)
    ]
    if (again.dead and chosen) or (again.in_doubt and books.in_doubt):
        return
    if not again.dead:
        raise UsageError(f"run {run} has nothing in doubt.")
    there = ", ".join(f"{group.fingerprint[:6]} ({group.kind}, {group.count:,})" for group in groups[:10])
    raise UsageError(
        f"run {run} has no dead letters {_named(again)}that could be run again. There are: {there or 'none'}"
        f"{_refused(refused)}{_pending(run, books.pending)}"
    )


def _refused(count: int) -> str:
    """Say what to do about records that were no items, and so were never started."""
    if not count:
        return ""
    lines = "1 line of its source is no item: mend it" if count == 1 else f"{count:,} lines are no items: mend them"
    return f"\n{lines} and run the file again, by the command that started the run"


def _pending(run: str, count: int) -> str:
    """Say how to start what was not: dead letters are among that where a rerun was stopped before it came to them."""
    if not count:
        return ""
    items = "1 item is" if count == 1 else f"{count:,} items are"
    return f"\n{items} pending; to start what is, continue the run: unlost resume {run}"


def _named(again: Again) -> str:
    words = []
    if again.kind is not None:
        words.append(f"of kind {again.kind}")
    if again.fingerprint is not None:
        words.append(f"with fingerprint {again.fingerprint!r}")
    return f"{' '.join(words)} " if words else ""
