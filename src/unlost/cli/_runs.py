"""``unlost runs``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from unlost.batch import Folder
from unlost.cli._streams import UNWRITABLE, out, say
from unlost.cli._views import view_of
from unlost.errors import UsageError
from unlost.report import Entry, runs_as_json, runs_as_text


def execute(arguments: argparse.Namespace) -> int:
    folder = Folder(Path(arguments.folder))
    entries, unreadable = [], 0
    for run in folder.runs():
        try:
            meta = folder.read_meta(run)
            if meta:
                entries.append(Entry(view_of(folder, run), meta["target"], meta["path"], float(meta["created"])))
        except UsageError as why:  # one damaged journal must not hide the others
            unreadable += 1
            say(f"unlost runs: {why}")
    if arguments.json:
        text = json.dumps(runs_as_json(entries), indent=2)
    elif entries:
        text = runs_as_text(entries)
    elif unreadable:
        return UNWRITABLE  # each was named: there are runs, and nothing of them can be shown
    else:
        text = f"no runs in {folder.path}; start one: unlost run MODULE:FUNCTION FILE"
    return UNWRITABLE if not out(text) or unreadable else 0
