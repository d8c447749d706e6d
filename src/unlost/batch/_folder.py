"""
The folder of journals (``.unlost``) and the runs in it.

A run ``fetch-3`` is the third of a function named ``fetch``: its journal is ``fetch-3.db``, its lock ``fetch-3.lock``.
The files are for their user only (they hold inputs and values), and so is a folder that is made here, which keeps
itself out of version control too. A folder that was there before is left as it is: it may be somebody's project.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unlost.batch.journal import _door, _schema
from unlost.batch.journal._door import Connection, Door
from unlost.errors import UsageError

DEFAULT = Path(".unlost")
_NUMBERED = re.compile(r"(?P<stem>.+)-(?P<number>[1-9][0-9]*)")


class Folder:
    """
    Journals in one folder.

    Args:
        path: Made on first use.
        door: Which SQLite.
    """

    def __init__(self, path: Path, door: Door = _door.SQLITE) -> None:
        self.path = path
        self._root = path.absolute()  # a job may change the current folder
        self._door = door

    def make(self) -> None:
        """
        Make the folder, for this user only, unless it is there.

        Raises:
            UsageError: It cannot be made or written to.
        """
        try:
            if not self.path.is_dir():
                self._make_own()
        except OSError as making_error:
            raise self._unusable(making_error.strerror) from making_error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise self._unusable("it cannot be written to")

    def _make_own(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            if not self.path.is_dir():  # else another process was faster
                raise
        else:
            (self.path / ".gitignore").write_text("*\n", encoding="utf-8")

    def _unusable(self, why: str | None) -> UsageError:
        return UsageError(
            f"cannot keep journals in {self.path}: {why}.\nName a folder that you can write to: --folder DIR"
        )

    def journal(self, run: str) -> Path:
        return self._root / f"{run}.db"

    def lock(self, run: str) -> Path:
        return self._root / f"{run}.lock"

    def shown(self, run: str) -> Path:
        """Return the journal as the user would type it."""
        return self.path / f"{run}.db"

    def runs(self) -> list[str]:
        """
        Return the names of all runs, by function, then number; none where there is no folder.

        Raises:
            UsageError: It cannot be read.
        """
        try:
            files = map(Path, os.listdir(self._root))  # Path.glob takes what it may not read for empty
        except FileNotFoundError:
            return []
        except OSError as reading_error:
            raise UsageError(
                f"cannot read the journals in {self.path}: {reading_error.strerror}.\n"
                "Name the folder that has them: --folder DIR"
            ) from reading_error
        names = [file.stem for file in files if file.suffix == ".db" and _NUMBERED.fullmatch(file.stem)]
        return sorted(names, key=_order)

    def find(self, run: str) -> Path:
        """
        Return the journal of a run that exists.

        Raises:
            UsageError: There is none of that name; the message lists those there are.
        """
        runs = self.runs()
        if run in runs:
            return self.journal(run)
        raise UsageError(f"there is no run {run!r} in {self.path}. {_listed(runs)}")

    def next_name(self, stem: str) -> str:
        """Return the name for the next run of a function."""
        mine = [number for other, number in map(_order, self.runs()) if other == stem]
        return f"{stem}-{1 + max(mine, default=0)}"

    def latest(self, stem: str, **meta: str) -> str | None:
        """Return the last run of a function whose journal says all of this about it; None if there is none."""
        mine = [run for run in self.runs() if _order(run)[0] == stem]
        return next((run for run in reversed(mine) if meta.items() <= self.read_meta(run).items()), None)

    def read_meta(self, run: str) -> dict[str, str]:
        """
        Return what the journal says about its run; empty if its maker died before the first commit.

        Raises:
            UsageError: The file is damaged, or no journal.
        """
        with self.open(run) as connection:
            return {} if connection is None else dict(connection.execute("SELECT name, value FROM meta"))

    @contextmanager
    def open(self, run: str) -> Iterator[Connection | None]:
        """
        Give a read-only connection to the journal of a run; None if its maker died before the first commit.

        Raises:
            UsageError: The file is damaged, or no journal.
        """
        path = self.find(run)
        try:
            with _door.for_reading(self._door, path) as connection:
                if _schema.is_empty(connection):
                    yield None
                else:
                    _schema.check(connection, path)
                    yield connection
        except self._door.error as reading_error:
            raise _schema.unreadable(path, reading_error, self._door) from reading_error


def _listed(runs: list[str]) -> str:
    more = f", and {len(runs) - 10} more: unlost runs" if len(runs) > 10 else ""
    return f"Runs there: {', '.join(runs[-10:]) or 'none'}{more}"


def _order(run: str) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(run)
    assert match is not None  # runs() lists no others
    return match["stem"], int(match["number"])
