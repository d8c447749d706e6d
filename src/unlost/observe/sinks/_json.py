"""A report as one JSON object; ``schema()`` says what is in it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from unlost.observe.sinks._report import Report
from unlost.observe.watch import Site

VERSION: Final = 1


def as_json(report: Report) -> dict[str, Any]:  # Any: JSON
    """Return the report as built-ins; keys that would be empty are left out."""
    found: dict[str, Any] = {  # Any: as above
        "version": VERSION,
        "at": _time(report.at),
        "process": os.getpid(),
        "verdict": report.verdict,
        "what": report.what,
        "fingerprint": report.digest,
        "by": report.by,
        "site": report.site and site_as_json(report.site),
        "task": report.origin and report.origin.task,
        "spawned": report.origin and [site_as_json(site) for site in report.origin.spawned],
        "seen_by": list(report.seen_by),
        "repeats": report.repeats,
        "seconds": round(report.seconds, 3),
        "error": report.error,
    }
    return {key: value for key, value in found.items() if value}


def schema() -> dict[str, Any]:  # Any: JSON
    """Return the JSON Schema (draft 2020-12) of what ``as_json`` returns, which is a line of the JSONL sink."""
    text = files("unlost.observe.sinks").joinpath("report.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)  # Any: JSON
    return loaded


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def site_as_json(site: Site) -> dict[str, Any]:  # Any: JSON
    """Return a place as built-ins."""
    return {
        "file": site.file, "module": site.module, "function": site.function, "line": site.line, "app": site.app,
    }  # fmt: skip
