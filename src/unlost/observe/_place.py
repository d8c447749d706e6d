"""Where in the user's code an error came from, and what of a library's had been called there."""

from __future__ import annotations

import os
import re
from typing import Final, NamedTuple

from unlost.observe._schema import ErrorRecord, FrameRecord

_COMPREHENSION: Final = r"<(?:list|dict|set)comp>"
_WITHIN: Final = re.compile(rf"\.{_COMPREHENSION}")
_IN_MODULE: Final = re.compile(rf"^{_COMPREHENSION}(\.)?")


class Place(NamedTuple):
    """
    A place in the user's code.

    Attributes:
        frame: The innermost frame of the user's code; the innermost of any where there is none.
        entered: What that frame had called in a library or in Python; None where it raised by itself.
    """

    frame: FrameRecord
    entered: FrameRecord | None


def place_of(record: ErrorRecord) -> Place | None:
    """
    Return where the error came from.

    An error that was raised outside the user's code (a deadline, a translated error) is placed by its cause, then by
    its context, then by its first member. None where nothing has frames: the error was never raised.
    """
    return _application_place(record) or _any_place(record)


def own_place(record: ErrorRecord) -> Place | None:
    """Return the innermost frame of the user's code in the error's own traceback, None where there is none."""
    frames = record["frames"]
    for index in range(len(frames) - 1, -1, -1):
        if frames[index]["app"]:
            return Place(frames[index], frames[index + 1] if index + 1 < len(frames) else None)
    return None


def module_name(frame: FrameRecord) -> str:
    """Return the frame's module; what ran as a script has the name that importing it would give."""
    if frame["module"] in ("__main__", ""):
        return os.path.splitext(base_name(frame["file"]))[0]
    return frame["module"]


def base_name(file: str) -> str:
    """Return the last part of a path of any platform: a journal may be read on another one."""
    return file.replace("\\", "/").rpartition("/")[2]


def without_comprehensions(function: str) -> str:
    """Return a qualified name; a comprehension, a function of its own up to Python 3.11, has that of its owner."""
    function = _WITHIN.sub("", function).removesuffix(".<locals>")  # what it defines is its owner's, by one of these
    return _IN_MODULE.sub(lambda match: "" if match[1] else "<module>", function)


def is_comprehension(name: str) -> bool:
    """Say whether a bare name of a function is that of a comprehension, which is one up to Python 3.11."""
    return re.fullmatch(_COMPREHENSION, name) is not None


def short_function(frame: FrameRecord) -> str:
    """Return the bare name of the frame's function."""
    return frame["function"].rpartition(".")[2]


def entered_name(frame: FrameRecord) -> str:
    """Return ``library.function``, by the library's top-level name."""
    return f"{module_name(frame).partition('.')[0]}.{short_function(frame)}"


def _application_place(record: ErrorRecord) -> Place | None:
    if place := own_place(record):
        return place
    for beneath in (record.get("cause"), record.get("context"), *record.get("members", [])[:1]):
        if beneath and (place := _application_place(beneath)):
            return place
    return None


def _any_place(record: ErrorRecord) -> Place | None:
    if record["frames"]:
        return Place(record["frames"][-1], None)
    beneath = record.get("cause") or record.get("context")
    return _any_place(beneath) if beneath else None
