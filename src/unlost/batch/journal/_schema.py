"""
The journal's tables, and how a file is told to be a journal.

============  =======================================================================================================
``meta``      what the run is: target, source, options, by name
``epoch``     one row each time the run was opened for writing: with which code, and how and why that ended
``scan``      one row each time the source was read: whether to its end, how many records and blank lines
``item``      one row for each input ever seen: its key, its line, the last scan that saw it, its generation
``input``     the record of each item, as it was read
``claim``     one row for each item that was ever started: durable before the start
``outcome``   one row for each item that ended, in the order of ``seq``, with the line where it stood then
``past``      outcomes that a rerun has put aside: one row for each generation but the last
``spend``     what attempts said they spent, each time that they said so
``kept``      what attempts had kept for later ones
``pause``     one row each time that a server, or an outage, held the run or one limit key
``results``   results files: how far each is written and synced
============  =======================================================================================================

An item begins in generation 1; to run it again although its outcome is known raises that. ``claim`` and ``outcome``
are of its last generation. Money is whole billionths of a dollar.

An item's bucket follows from the rows that are there: nothing is stored twice, so nothing can disagree.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from unlost.batch.journal._door import Connection, Door
from unlost.errors import UsageError

APPLICATION_ID = 0x756E6C73  # "unls"
VERSION = 2

_ENDED = """generation INTEGER NOT NULL, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, ended REAL NOT NULL,
        line INTEGER NOT NULL, ok INTEGER NOT NULL, attempts INTEGER NOT NULL, held INTEGER NOT NULL,
        ms INTEGER NOT NULL, value TEXT, survived TEXT, kind TEXT, fingerprint TEXT, error TEXT"""

TABLES = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE epoch(
        epoch INTEGER PRIMARY KEY, pid INTEGER NOT NULL, opened REAL NOT NULL, closed REAL, ended TEXT,
        why TEXT, options TEXT NOT NULL, source_hash TEXT NOT NULL, revision TEXT, tag TEXT)""",
    """CREATE TABLE scan(
        scan INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, complete INTEGER NOT NULL, records INTEGER, blank INTEGER,
        changed INTEGER)""",
    """CREATE TABLE item(
        id INTEGER PRIMARY KEY, key TEXT NOT NULL, ordinal INTEGER NOT NULL,
        line INTEGER NOT NULL, scan INTEGER NOT NULL, generation INTEGER NOT NULL DEFAULT 1, UNIQUE(key, ordinal))""",
    "CREATE TABLE input(item INTEGER PRIMARY KEY, raw BLOB NOT NULL)",
    """CREATE TABLE claim(
        item INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, times INTEGER NOT NULL, survived TEXT)""",
    f"CREATE TABLE outcome(item INTEGER PRIMARY KEY, {_ENDED})",
    f"CREATE TABLE past(item INTEGER NOT NULL, {_ENDED}, PRIMARY KEY(item, generation)) WITHOUT ROWID",
    """CREATE TABLE spend(
        id INTEGER PRIMARY KEY, item INTEGER NOT NULL, generation INTEGER NOT NULL, epoch INTEGER NOT NULL,
        attempt INTEGER NOT NULL, nano_usd INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL, charge TEXT)""",
    "CREATE UNIQUE INDEX charge ON spend(item, charge) WHERE charge IS NOT NULL",
    """CREATE TABLE kept(
        item INTEGER NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL, epoch INTEGER NOT NULL,
        attempt INTEGER NOT NULL, value NOT NULL, PRIMARY KEY(item, name)) WITHOUT ROWID""",
    """CREATE TABLE pause(
        id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, began REAL NOT NULL, ended REAL, kind TEXT NOT NULL,
        scope TEXT NOT NULL, refused INTEGER NOT NULL, error TEXT)""",
    """CREATE TABLE results(
        path TEXT PRIMARY KEY, length INTEGER NOT NULL, lines INTEGER NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID""",
)


def create(connection: Connection, meta: Mapping[str, str]) -> None:
    """Make the tables in an empty file and say what the run is, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for table in TABLES:
        connection.execute(table)
    connection.executemany("INSERT INTO meta(name, value) VALUES (?, ?)", meta.items())
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={VERSION}")
    connection.execute("COMMIT")


def is_empty(connection: Connection) -> bool:
    """Tell whether nothing was ever written: a crash before the first commit leaves such a file."""
    return next(iter(connection.execute("SELECT count(*) FROM sqlite_master"))) == (0,)


def check(connection: Connection, path: Path) -> None:
    """
    Refuse a file that is not a journal of this version.

    Raises:
        UsageError: It belongs to another program, or was written by another version.
    """
    application = next(iter(connection.execute("PRAGMA application_id")))[0]
    version = next(iter(connection.execute("PRAGMA user_version")))[0]
    if application != APPLICATION_ID:
        raise UsageError(
            f"{path} is an SQLite database, but not a journal of unlost.\n"
            "Move it away, or keep journals elsewhere: --folder DIR"
        )
    if version != VERSION:
        newer = "Write: pip install --upgrade unlost"
        older = "Finish it with the version that made it, or move it away."
        raise UsageError(
            f"{path} has journal version {version}; this version of unlost reads {VERSION}.\n"
            f"{newer if version > VERSION else older}"
        )


def unreadable(path: Path, error: Exception, door: Door) -> UsageError:
    """Say in the user's words what a failure of the journal's connection means."""
    what = str(error)
    if path.is_dir():
        help_line = "It is a folder. Move it away."
    elif path.exists() and not os.access(path, os.R_OK):
        help_line = "This user may not read it."
    elif isinstance(error, door.error) and "not a database" in what:
        help_line = (
            "It is not a journal of unlost, or its first page is damaged. Move it away; --new starts another run."
        )
    elif "malformed" in what:
        help_line = f"It is damaged. Save what can be read with: sqlite3 {path.name} .recover"
    elif "readonly" in what or "unable to open" in what:
        help_line = "Its folder must be writable for this user: --folder DIR names another."
    elif "locked" in what:
        help_line = "Another program reads it now, an export that goes on or sqlite3: let it end, and try again."
    else:
        help_line = "Nothing was changed."
    return UsageError(f"cannot open the journal {path}: {what}.\n{help_line}")
