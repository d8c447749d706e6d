"""Opening a journal for writing: each opening is an epoch, and reads the source anew in a scan of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unlost._core import wall
from unlost.batch.journal import _schema
from unlost.batch.journal._door import Connection
from unlost.errors import UsageError


@dataclass(frozen=True, slots=True)
class Opening:
    """
    Where an opening starts from.

    Attributes:
        epoch: Its number, from 1.
        scan: Number of its reading of the source, from 1.
        next_item: The first item number that is free.
        next_seq: The first sequence number of an outcome that is free.
        ok: How many items had ended with a value.
        failed: How many had ended with an error.
        items: How many there are.
    """

    epoch: int
    scan: int
    next_item: int
    next_seq: int
    ok: int
    failed: int
    items: int

    @property
    def continues(self) -> bool:
        """Whether the journal knew items before."""
        return self.next_item > 1


@dataclass(frozen=True, slots=True)
class Epoch:
    """
    What is said of an opening.

    Attributes:
        options: What holds in it, as JSON.
        source_hash: Of the target's code.
        revision: The commit of the target's repository, with ``-dirty`` where files differ from it; None where there
            is none.
        tag: The user's word for it.
    """

    options: str
    source_hash: str
    revision: str | None = None
    tag: str | None = None


def make_journal(connection: Connection, path: Path, meta: Mapping[str, str]) -> None:
    """
    Make the tables if the file is new.

    Args:
        connection: For writing.
        path: Of the journal, for messages.
        meta: What the run is, stored when the file is new.

    Raises:
        UsageError: The file is no journal, or one of another version.
    """
    if _schema.is_empty(connection):
        _schema.create(connection, meta)
    _schema.check(connection, path)


def check_run(connection: Connection, run: str, meta: Mapping[str, str]) -> None:
    """Refuse the journal of another run of that name: the one that was planned was purged meanwhile."""
    found = next((value for (value,) in connection.execute("SELECT value FROM meta WHERE name = 'run_id'")), None)
    if found != meta["run_id"]:
        raise UsageError(f"run {run} is another one now: the one before was purged.\nType the command once more")


def open_epoch(connection: Connection, epoch: Epoch, *, scans: bool = True) -> Opening:
    """
    Enter this opening, when nothing can refuse it any more: the next one goes by its options.

    Args:
        connection: For writing.
        epoch: What is said of it.
        scans: Whether the source will be read; else the last reading holds.
    """
    number = _next(connection, "SELECT max(epoch) FROM epoch")
    scan = _next(connection, "SELECT max(scan) FROM scan")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "INSERT INTO epoch(epoch, pid, opened, options, source_hash, revision, tag) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, os.getpid(), wall(), epoch.options, epoch.source_hash, epoch.revision, epoch.tag),
    )
    if scans:
        connection.execute("INSERT INTO scan(scan, epoch, complete) VALUES (?, ?, 0)", (scan, number))
    connection.execute("COMMIT")
    next_item = _next(connection, "SELECT max(id) FROM item")
    next_seq = _next(connection, "SELECT max(seq) FROM (SELECT seq FROM outcome UNION ALL SELECT seq FROM past)")
    ok, failed = next(iter(connection.execute("SELECT coalesce(sum(ok), 0), coalesce(sum(NOT ok), 0) FROM outcome")))
    items = next(iter(connection.execute("SELECT count(*) FROM item")))[0]
    return Opening(number, scan if scans else scan - 1, next_item, next_seq, ok, failed, items)


def read_options(connection: Connection) -> dict[str, Any]:  # Any: what ``Plan.options_json`` wrote
    """Return what the run's last opening was told: ``given`` and ``out``."""
    rows = connection.execute("SELECT options FROM epoch ORDER BY epoch DESC LIMIT 1")
    return next((json.loads(text) for (text,) in rows), {"given": {}, "out": None})


def read_first(connection: Connection) -> int | None:
    """Return how many inputs the last reading of the source was to read at most; None for all."""
    rows = connection.execute(
        """SELECT options FROM epoch JOIN scan ON scan.epoch = epoch.epoch ORDER BY scan DESC LIMIT 1"""
    )
    first = next((json.loads(text)["given"].get("first") for (text,) in rows), None)
    return first if isinstance(first, int) else None


def _next(connection: Connection, query: str) -> int:
    return 1 + (next(iter(connection.execute(query)))[0] or 0)
