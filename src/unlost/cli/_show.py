"""``unlost show``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from unlost.batch import Folder, read_dead
from unlost.cli._views import view_of
from unlost.errors import UsageError
from unlost.report import detail_as_json, detail_as_text, summary_as_json, summary_as_text

_SHOWN = 20  # items in doubt that are listed as text


def execute(arguments: argparse.Namespace) -> int:
    folder = Folder(Path(arguments.folder))
    if arguments.fingerprint is not None:
        return _show_group(folder, arguments.run, arguments.fingerprint.lower(), as_json=arguments.json)
    view = view_of(folder, arguments.run)
    if arguments.json:
        print(json.dumps(summary_as_json(view), indent=2))
        return 0
    print(summary_as_text(view, groups=None))
    for key, line, times in view.in_doubt[:_SHOWN]:
        print(f"   in doubt: line {line:<8} key {key}{f'   started {times} times' if times > 1 else ''}")
    if view.books.in_doubt > _SHOWN:
        print(f"   and {view.books.in_doubt - _SHOWN:,} more in doubt: unlost show {view.run} --json")
    if view.groups:
        print(f" one error in full: unlost show {view.run} {view.groups[0].fingerprint[:6]}")
    return 0


def _show_group(folder: Folder, run: str, fingerprint: str, *, as_json: bool) -> int:
    view = view_of(folder, run)
    if not any(group.fingerprint.startswith(fingerprint) for group in view.groups):
        known = ", ".join(group.fingerprint[:6] for group in view.groups) or "none"
        raise UsageError(f"run {run} has no dead letters with fingerprint {fingerprint!r}. There are: {known}")
    with folder.open(run) as connection:
        assert connection is not None  # view_of has read it
        dead = read_dead(connection, fingerprint)
        if as_json:
            print(json.dumps(detail_as_json(dead), indent=2))
        else:
            for line in detail_as_text(dead):
                print(line)
    return 0
