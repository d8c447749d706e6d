"""A report as the event that Sentry's protocol describes; a function of the report alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from unlost.observe._schema import ErrorRecord, FrameRecord
from unlost.observe.sinks._json import as_json
from unlost.observe.sinks._report import Report

_MOST: Final = 32  # exceptions of one event


def event_of(report: Report) -> dict[str, Any]:  # Any: JSON
    """
    Return the event: the tree of exceptions without secrets or locals, our fingerprint for its grouping.

    The root is the last of the exceptions; each has the number of the one that it belongs to.
    """
    details = {key: value for key, value in as_json(report).items() if key != "error"}
    event: dict[str, Any] = {  # Any: as above
        "level": "warning" if report.repeats else "error",
        "logger": "unlost",
        "timestamp": report.at,
        "tags": {"unlost.verdict": report.verdict, "unlost.fingerprint": report.fingerprint or "none"},
        "contexts": {"unlost": details},
    }
    if report.digest:
        event["fingerprint"] = ["unlost", report.digest, report.verdict]
    if report.error is None or report.repeats:
        event["message"] = report.what
    if report.error is not None:
        event["exception"] = {"values": list(reversed(list(_values(report.error))))}
    return event


def _values(root: ErrorRecord) -> Iterator[dict[str, Any]]:  # Any: JSON
    waiting: list[tuple[ErrorRecord, int | None, str]] = [(root, None, "")]
    number = 0
    while waiting and number < _MOST:
        error, parent, source = waiting.pop(0)
        yield _value(error, number, parent, source)
        waiting.extend((beneath, number, slot) for slot, beneath in _beneath(error))
        number += 1


def _beneath(error: ErrorRecord) -> Iterator[tuple[str, ErrorRecord]]:
    for position, member in enumerate(error.get("members", [])):
        yield f"exceptions[{position}]", member
    if "cause" in error:
        yield "__cause__", error["cause"]
    if "context" in error:
        yield "__context__", error["context"]
    for position, earlier in enumerate(error.get("attempts", [])):
        yield f"attempts[{position}]", earlier
    for position, other in enumerate(error.get("errors", [])):
        yield f"errors[{position}]", other


def _value(error: ErrorRecord, number: int, parent: int | None, source: str) -> dict[str, Any]:  # Any: JSON
    mechanism: dict[str, Any] = {  # Any: as above
        "type": "unlost" if parent is None else "chained",
        "handled": False if parent is None else None,
        "exception_id": number,
        "parent_id": parent,
        "source": source or None,
        "is_exception_group": True if "members" in error else None,
    }
    return {
        "type": error["type"]["qualname"],
        "module": error["type"]["module"],
        "value": "\n".join([error["message"], *error.get("notes", [])]),
        "mechanism": {key: value for key, value in mechanism.items() if value is not None},
        "stacktrace": {"frames": [_frame(frame) for frame in error["frames"]]},
    }


def _frame(frame: FrameRecord) -> dict[str, Any]:  # Any: JSON
    return {
        "filename": frame["file"],
        "abs_path": frame["file"],
        "module": frame["module"],
        "function": frame["function"],
        "lineno": frame["line"],
        "in_app": frame["app"],
    }
