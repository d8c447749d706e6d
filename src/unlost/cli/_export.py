"""``unlost export``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from unlost.batch import Books, Chosen, Folder, Inputs, export_lines, is_results_file, kept_as, read_books, write_file
from unlost.batch.journal._door import Connection
from unlost.cli._streams import UNWRITABLE, out, out_bytes, say
from unlost.errors import UsageError


def execute(arguments: argparse.Namespace) -> int:
    folder = Folder(Path(arguments.folder))
    chosen = Chosen(
        ok=arguments.what != "dead",
        dead=arguments.what != "ok",
        withdrawn=arguments.withdrawn,
        order=arguments.order,
    )
    meta = folder.read_meta(arguments.run)
    with folder.open(arguments.run) as connection:
        if connection is None:
            raise UsageError(f"run {arguments.run} died before anything was written: nothing has ended")
        is_table = meta["format"] == "csv"
        inputs = Inputs(kept_as(meta["format"]), meta.get("inputs") != "hash", is_table)  # type: ignore[arg-type]  # ours
        # closed before its connection is: it may not be read to its end
        with closing(export_lines(connection, chosen, inputs, with_input=arguments.with_input)) as lines:
            written = _written(arguments, folder, connection, lines)
        if written and not arguments.json:
            _say_left_out(read_books(connection), chosen, arguments.run)
    return 0 if written else UNWRITABLE


def _written(arguments: argparse.Namespace, folder: Folder, connection: Connection, lines: Iterator[bytes]) -> bool:
    if arguments.out is None:
        if arguments.force:
            raise UsageError("--force replaces the file of --out FILE; without that it says nothing. Leave it out")
        return out_bytes(lines)
    path = Path(arguments.out)
    _check_not_ours(path, folder, arguments.run, connection)
    count = write_file(path, lines, replace=arguments.force)
    if arguments.json:
        return out(json.dumps({"run": arguments.run, "file": str(path), "lines": count}, indent=2))
    say(f"unlost export: {count:,} {'line' if count == 1 else 'lines'} in {path}")
    return True


def _check_not_ours(path: Path, folder: Folder, run: str, connection: Connection) -> None:
    resolved = path.resolve()
    if resolved == folder.journal(run).resolve():
        raise UsageError(f"--out {path} is the journal of run {run}. Name another file")
    if is_results_file(connection, resolved):
        raise UsageError(
            f"--out {path} is the results file of run {run}, which it appends to when it continues.\n"
            "Name another file: --out export.jsonl"
        )


def _say_left_out(books: Books, chosen: Chosen, run: str) -> None:
    """What has not ended is in no export; who reads one should not take it for all there is."""
    left = [f"{books.in_doubt:,} in doubt"] if books.in_doubt else []
    left += [f"{books.pending:,} pending"] if books.pending else []
    left += [f"{books.withdrawn:,} withdrawn (--withdrawn)"] if books.withdrawn and not chosen.withdrawn else []
    left += [] if books.whole else ["a source that was not read to its end"]
    if left:
        say(f"unlost export: run {run} has besides {', '.join(left)}")
