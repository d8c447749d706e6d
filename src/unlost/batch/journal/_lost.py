"""Items that a process of their own has died of."""

from __future__ import annotations

from unlost.batch.journal._door import Connection

_TYPE = '"qualname":"WorkerLost"'
_START = 300  # characters of a record that its type is within


def was_lost(connection: Connection, item: int) -> bool:
    """Tell whether that was the outcome of an item in an earlier generation."""
    rows = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM past WHERE item = ? AND instr(substr(error, 1, ?), ?))", (item, _START, _TYPE)
    )
    return bool(next(iter(rows))[0])
