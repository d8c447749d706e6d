"""``unlost purge``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from unlost.batch import Folder, Purged, purge_inputs, purge_run
from unlost.cli._streams import UNWRITABLE, out, out_lines


def execute(arguments: argparse.Namespace) -> int:
    folder = Folder(Path(arguments.folder))
    if arguments.inputs:
        purged = purge_inputs(folder, arguments.run)
    else:
        purged = purge_run(folder, arguments.run, yes=arguments.yes)
    if arguments.json:
        return 0 if out(json.dumps(_as_json(purged), indent=2)) else UNWRITABLE
    return 0 if out_lines(_inputs_as_text(purged) if arguments.inputs else _run_as_text(purged)) else UNWRITABLE


def _run_as_text(purged: Purged) -> Iterator[str]:
    books = purged.books
    had = "" if books is None else f": {books.ok:,} ok · {books.failed:,} failed · {books.in_doubt:,} in doubt"
    pending = f" · {books.pending:,} pending" if books is not None and books.pending else ""
    yield f"deleted run {purged.run}{had}{pending}"
    yield from _files(purged)


def _inputs_as_text(purged: Purged) -> Iterator[str]:
    yield (
        f"deleted of run {purged.run}, where items are ok: {purged.inputs:,} inputs, "
        f"{purged.intermediate:,} kept intermediate results"
    )
    yield from _files(purged)
    yield "what is left: keys, values, errors, money; and the inputs of all other items"


def _files(purged: Purged) -> Iterator[str]:
    yield from (f"  deleted {path}" for path in purged.files)
    yield from (f"  not deleted {path}: {why}" for path, why in purged.kept.items())


def _as_json(purged: Purged) -> dict[str, object]:
    return {
        "run": purged.run,
        "books": None if purged.books is None else purged.books.as_json(),
        "files": [str(path) for path in purged.files],
        "not_deleted": {str(path): why for path, why in purged.kept.items()},
        "inputs": purged.inputs,
        "kept": purged.intermediate,
    }
