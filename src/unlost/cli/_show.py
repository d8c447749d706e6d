"""``unlost show``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from unlost.batch import Folder, read_dead
from unlost.cli._streams import UNWRITABLE, out, out_lines
from unlost.cli._views import view_of
from unlost.errors import UsageError
from unlost.report import detail_as_json, detail_as_text, run_as_text, summary_as_json


def execute(arguments: argparse.Namespace) -> int:
    folder = Folder(Path(arguments.folder))
    if arguments.fingerprint is not None:
        return _show_group(folder, arguments.run, arguments.fingerprint.lower(), as_json=arguments.json)
    view = view_of(folder, arguments.run)
    if arguments.json:
        return 0 if out(json.dumps(summary_as_json(view), indent=2)) else UNWRITABLE
    return 0 if out_lines(run_as_text(view)) else UNWRITABLE


def _show_group(folder: Folder, run: str, fingerprint: str, *, as_json: bool) -> int:
    view = view_of(folder, run)
    if not any(group.fingerprint.startswith(fingerprint) for group in view.groups):
        known = ", ".join(group.fingerprint[:6] for group in view.groups) or "none"
        raise UsageError(f"run {run} has no dead letters with fingerprint {fingerprint!r}. There are: {known}")
    with folder.open(run) as connection:
        assert connection is not None  # view_of has read it
        dead = read_dead(connection, fingerprint)
        written = out(json.dumps(detail_as_json(dead), indent=2)) if as_json else out_lines(detail_as_text(dead))
    return 0 if written else UNWRITABLE
