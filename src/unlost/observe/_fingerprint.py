"""
Which errors are the same bug.

A fingerprint is taken from the record, so that it can be taken again, by a better version, of what a journal holds. It
depends on the type, the status or errno, the user's innermost functions (without line numbers: an edit above must not
make a new bug), what those called in a library, the message without what varies, and the explicit cause. It does
not depend on attempts, notes or context, nor on frames of libraries. A group is the set of its members: how many
there are and in which order does not matter, and where all are one bug, the group is that bug.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final, TypeAlias

from unlost.observe._place import module_name, own_place
from unlost.observe._schema import ErrorRecord, FrameRecord
from unlost.observe._template import template

VERSION: Final = 1
_FRAMES: Final = 8
_CAUSES: Final = 4  # below what the smallest record keeps, so that its size does not matter
_NAME: Final = 90  # the end of a name, below what the smallest record keeps
_COMPREHENSIONS: Final = (".<locals>.<listcomp>", ".<locals>.<dictcomp>", ".<locals>.<setcomp>")

Parts: TypeAlias = list["str | Parts"]


def fingerprint(record: ErrorRecord) -> str:
    """Return six hex digits for people to read and type; equal for occurrences of the same bug."""
    return digest(record)[:6]


def digest(record: ErrorRecord) -> str:
    """Return all 64 hex digits of what ``fingerprint`` shows six of."""
    return hashlib.sha256(json.dumps(parts(record)).encode()).hexdigest()


def parts(record: ErrorRecord) -> Parts:
    """Return what the fingerprint is made of: why two errors are, or are not, the same."""
    return [f"unlost-{VERSION}", *_parts(record, _CAUSES)]


def _parts(record: ErrorRecord, causes: int) -> Parts:
    members = _distinct(record, causes)
    if len(members) == 1:
        return members[0]
    own: Parts = [
        f"{record['type']['module'][-_NAME:]}.{record['type']['qualname'][-_NAME:]}",
        _number(record),
        template(record["message"], names_matter=record["kind"] == "defect"),
        *_functions(record["frames"]),
    ]
    if entered := _entered(record):
        own.append(f"-> {entered}")
    if members:
        own.append(["members", *members])
    cause = record.get("cause")
    if cause and causes and "seen" not in cause:
        own.append(["cause", *_parts(cause, causes - 1)])
    return own


def _distinct(record: ErrorRecord, causes: int) -> list[Parts]:
    members = {json.dumps(found): found for found in _members(record, causes)}
    return [members[key] for key in sorted(members)]


def _members(record: ErrorRecord, causes: int) -> list[Parts]:
    return [_parts(member, causes) for member in record.get("members", []) if "seen" not in member]


def _number(record: ErrorRecord) -> str:
    attributes = record.get("attributes", {})
    for name in ("status", "errno"):
        if name in attributes:
            return f"{name}={attributes[name]}"
    return ""


def _functions(frames: list[FrameRecord]) -> list[str]:
    """Return the user's innermost functions, each once however deep the recursion, innermost first."""
    chosen = [frame for frame in frames if frame["app"]] or _innermost_foreign(frames)
    names = dict.fromkeys(_name(frame) for frame in reversed(chosen))
    return list(names)[:_FRAMES]


def _innermost_foreign(frames: list[FrameRecord]) -> list[FrameRecord]:
    """With no code of the user's in sight, a library's innermost function has to do."""
    return [frame for frame in frames[-1:] if module_name(frame).partition(".")[0] != "unlost"]


def _name(frame: FrameRecord) -> str:
    """Return ``module:function``; a comprehension has a frame of its own only up to Python 3.11."""
    function = frame["function"]
    for comprehension in _COMPREHENSIONS:
        function = function.replace(comprehension, "")
    return f"{module_name(frame)[-_NAME:]}:{function[-_NAME:]}"


def _entered(record: ErrorRecord) -> str:
    place = own_place(record)
    if place is None or place.entered is None:
        return ""
    return _name(place.entered)
