"""Deleting inputs out of a journal, so that their bytes are gone from the file."""

from __future__ import annotations

import json

from unlost.batch.journal._door import Connection

NOTE = "inputs_purged"
"""The name in ``meta`` under which stands when, and how many inputs and kept things were deleted by then."""

_OK = "item IN (SELECT item FROM outcome WHERE ok)"


def delete_inputs(connection: Connection, now: float) -> tuple[int, int]:
    """
    Delete the inputs of items that are ok, and what is kept of them; leaves the connection in another journal mode.

    Args:
        connection: For writing, with nobody else at the file.
        now: Seconds since 1970, to be noted.

    Returns:
        How many inputs, and how many kept things.
    """
    # Not in WAL mode: there the old pages stay until a checkpoint, which a reader can put off. Here it is refused.
    for pragma in ("busy_timeout=1000", "journal_mode=DELETE", "secure_delete=ON", "temp_store=FILE"):
        list(connection.execute(f"PRAGMA {pragma}"))
    connection.execute("BEGIN IMMEDIATE")
    counts = [next(iter(connection.execute(f"SELECT count(*) FROM {table} WHERE {_OK}")))[0] for table in _TABLES]
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table} WHERE {_OK}")
    before = read_note(connection)
    note = {"at": now, "inputs": counts[0] + before.get("inputs", 0), "kept": counts[1] + before.get("kept", 0)}
    connection.execute("INSERT OR REPLACE INTO meta(name, value) VALUES (?, ?)", (NOTE, json.dumps(note)))
    connection.execute("COMMIT")
    connection.execute("VACUUM")  # what was deleted is zeroes by now; what earlier deletions left is gone with this
    return counts[0], counts[1]


_TABLES = ("input", "kept")


def read_note(connection: Connection) -> dict[str, int]:
    """Return what purges have noted; empty where there was none."""
    rows = connection.execute("SELECT value FROM meta WHERE name = ?", (NOTE,))
    return next((json.loads(value) for (value,) in rows), {})
