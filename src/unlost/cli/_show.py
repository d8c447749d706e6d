"""``unlost show``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from unlost.batch import Folder, Group, read_dead
from unlost.cli._look import look_of_output
from unlost.cli._streams import UNWRITABLE, out, out_lines
from unlost.cli._views import view_of
from unlost.cli._why import why_as_json, why_as_text
from unlost.errors import UsageError
from unlost.report import detail_as_json, detail_as_text, run_as_text, summary_as_json


def execute(arguments: argparse.Namespace) -> int:
    folder = Folder(Path(arguments.folder))
    if arguments.html is not None:
        return _write_html(folder, arguments)
    if arguments.why is not None:
        return _show_why(folder, arguments)
    if arguments.fingerprint is not None:
        return _show_group(folder, arguments.run, arguments.fingerprint, as_json=arguments.json)
    view = view_of(folder, arguments.run)
    if arguments.json:
        return 0 if out(json.dumps(summary_as_json(view), indent=2)) else UNWRITABLE
    return 0 if out_lines(run_as_text(view)) else UNWRITABLE


def _write_html(folder: Folder, arguments: argparse.Namespace) -> int:
    if arguments.fingerprint is not None or arguments.why is not None or arguments.json:
        raise UsageError("--html writes the whole run. Leave out the fingerprint, --why and --json.")
    from unlost.cli._html import write_html

    write_html(Path(arguments.html), folder, view_of(folder, arguments.run))
    return 0


def _show_group(folder: Folder, run: str, fingerprint: str, *, as_json: bool) -> int:
    alone = {group.fingerprint for group in _groups(folder, run, fingerprint) if group.count == 1}
    with folder.open(run) as connection:
        assert connection is not None  # the groups were read from it
        dead = read_dead(connection, fingerprint.lower())
        written = (
            out(json.dumps(detail_as_json(dead), indent=2))
            if as_json
            else out_lines(detail_as_text(dead, look_of_output(), alone))
        )
    return 0 if written else UNWRITABLE


def _show_why(folder: Folder, arguments: argparse.Namespace) -> int:
    """Explain one fingerprint, or how two differ: ``show RUN ONE --why [OTHER]``, also ``show RUN --why ONE``."""
    asked = [text for text in (arguments.fingerprint, arguments.why) if text]
    if not asked:
        raise UsageError(f"--why of what? Write unlost show {arguments.run} FINGERPRINT --why.")
    groups = [group for text in asked for group in _groups(folder, arguments.run, text)]
    with folder.open(arguments.run) as connection:
        assert connection is not None  # the groups were read from it
        if arguments.json:
            written = out(json.dumps(why_as_json(connection, groups), indent=2))
        else:
            written = out_lines(why_as_text(connection, groups))
    return 0 if written else UNWRITABLE


def _groups(folder: Folder, run: str, fingerprint: str) -> list[Group]:
    """Return the groups whose fingerprint begins so; there is at least one."""
    groups = view_of(folder, run).groups
    found = [group for group in groups if group.fingerprint.startswith(fingerprint.lower())]
    if not found:
        known = ", ".join(group.fingerprint[:6] for group in groups) or "none"
        raise UsageError(f"run {run} has no dead letters with fingerprint {fingerprint.lower()!r}. There are: {known}")
    return found
