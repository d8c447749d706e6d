"""
Deleting a run, or only the inputs of what ended well.

Nobody can open the run meanwhile: its lock is held, and so is the choice of a run in its folder. What knows of other
files is deleted after them: the journal's own removal is the moment at which the run is gone, whatever kills us. An
``-wal`` that is left behind belongs to no journal; SQLite deletes it where another run gets the name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from unlost._core import wall
from unlost.batch._choice import Choice
from unlost.batch._folder import Folder
from unlost.batch._lock import Lock
from unlost.batch.journal import _door, _schema
from unlost.batch.journal._books import Books, read_books
from unlost.batch.journal._door import SQLITE, Door
from unlost.batch.journal._purging import delete_inputs
from unlost.errors import UsageError


@dataclass(slots=True)
class Purged:
    """
    What was deleted.

    Attributes:
        run: Its name.
        books: What the run had come to; None where its journal never began, or could not be read.
        files: That are gone.
        kept: Files that one might expect among them, and why they are not.
        inputs: Records that are gone out of the journal, where the run stays.
        intermediate: Things that attempts had kept, likewise.
    """

    run: str
    books: Books | None = None
    files: list[Path] = field(default_factory=list)
    kept: dict[Path, str] = field(default_factory=dict)
    inputs: int = 0
    intermediate: int = 0


def purge_run(folder: Folder, run: str, *, yes: bool = False) -> Purged:
    """
    Delete the journal of a run and the copy of its input, where no other run has the same; not the results file.

    Args:
        folder: Of the run.
        run: Its name.
        yes: Although there are dead letters, or items that did not end, or the journal cannot be read.

    Raises:
        Locked: A process writes the run.
        UsageError: There is no such run, or it is not to be deleted without ``yes``.
    """
    purged = Purged(run)
    with _held(folder, run):
        meta: dict[str, str] = {}
        try:
            meta = folder.read_meta(run)
            purged.books = _read_books(folder, run)
        except UsageError as unreadable:
            if not yes:
                raise UsageError(f"{unreadable}\nTo delete it all the same: unlost purge {run} --yes") from unreadable
        if purged.books is not None and not yes:
            _check_all_ok(run, purged.books)
        _delete_copy(folder, run, meta, purged)
        journal = folder.journal(run)
        beside = [journal.with_name(journal.name + suffix) for suffix in ("-wal", "-shm", "-journal")]
        for path in (journal, *beside):
            _delete(path, purged)
        if os.name == "posix":  # elsewhere a file that is open, as the lock is, cannot be deleted
            _delete(folder.lock(run), purged)
    return purged


def purge_inputs(folder: Folder, run: str, *, door: Door = SQLITE) -> Purged:
    """
    Delete the inputs of the items that ended with a value, and what their attempts had kept; the books stay.

    The journal is written anew, so that the bytes are gone from it; that takes as much room again for a moment. The
    copy of standard input goes too where the whole of it was read and nothing in there is pending.

    Raises:
        Locked: A process writes the run.
        UsageError: There is no such run, or another program reads the journal now, or it cannot be written.
    """
    purged = Purged(run)
    with _held(folder, run):
        meta = folder.read_meta(run)
        books = purged.books = _read_books(folder, run)
        if books is None:
            return purged
        path = folder.journal(run)
        try:
            connection = _door.for_writing(door, path, "power")
            try:
                _schema.check(connection, path)
                purged.inputs, purged.intermediate = delete_inputs(connection, wall())
            finally:
                _door.close_writing(door, connection)
        except door.error as writing_error:
            raise _schema.unreadable(path, writing_error, door) from writing_error
        copy = _copy_of(folder, meta)
        if copy is not None and (books.pending or books.in_doubt or not books.whole):
            purged.kept[copy] = f"the run is not at its end, and needs it: unlost resume {run}"
        else:
            _delete_copy(folder, run, meta, purged)
    return purged


@contextmanager
def _held(folder: Folder, run: str) -> Iterator[None]:
    """Keep everybody else from opening the run, and from choosing one."""
    folder.find(run)
    choice = Choice(folder.path)
    try:
        lock = Lock(folder.lock(run), run)
        try:
            folder.find(run)  # another purge may have been faster
            yield
        finally:
            lock.release()
    finally:
        choice.release()


def _read_books(folder: Folder, run: str) -> Books | None:
    with folder.open(run) as connection:
        return None if connection is None else read_books(connection)


def _check_all_ok(run: str, books: Books) -> None:
    left = [
        f"{count:,} {what}"
        for count, what in ((books.failed, "failed"), (books.in_doubt, "in doubt"), (books.pending, "pending"))
        if count
    ]
    if not books.whole:
        left.append("a source that was not read to its end")
    if not books.balance:
        left.append("books that do not balance")
    if left:
        raise UsageError(
            f"run {run} has {', '.join(left)}: what is known of that is in its journal alone.\n"
            f"Look at it: unlost show {run}. To delete it all the same: unlost purge {run} --yes"
        )


def _copy_of(folder: Folder, meta: dict[str, str]) -> Path | None:
    """Return the copy that was made of what can be read only once, if the run has one and it is there."""
    if "path" not in meta:
        return None
    path = Path(meta["path"])
    is_copy = path.name.startswith("input-") and path.parent.resolve() == folder.path.resolve()
    return path if is_copy and path.exists() else None


def _delete_copy(folder: Folder, run: str, meta: dict[str, str], purged: Purged) -> None:
    copy = _copy_of(folder, meta)
    if copy is None:
        return
    for other in folder.runs():
        if other == run:
            continue
        try:
            if folder.read_meta(other).get("path") == meta["path"]:
                purged.kept[copy] = f"run {other} has the same input"
                return
        except UsageError:  # the other's journal is damaged: said in what is returned
            purged.kept[copy] = f"run {other} cannot be read, and may have the same input"
            return
    _delete(copy, purged)


def _delete(path: Path, purged: Purged) -> None:
    try:
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as deleting_error:
        raise UsageError(
            f"cannot delete {path}: {deleting_error.strerror}. Gone are by now: "
            f"{', '.join(gone.name for gone in purged.files) or 'no files'}.\nType the same command again"
        ) from deleting_error
    purged.files.append(path)
