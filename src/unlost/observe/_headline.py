"""One line for one bug: what it is and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from unlost.observe._place import base_name, entered_name, module_name, place_of, short_function
from unlost.observe._schema import ErrorRecord
from unlost.observe._text import printable
from unlost.observe.fingerprints import template_of

_WIDTH: Final = 60


@dataclass(frozen=True, slots=True)
class Headline:
    """
    An error in one line.

    Attributes:
        title: The type and what tells most: ``HTTPStatusError status=503``, ``KeyError 'price'``.
        where: ``jobs.py:42 in fetch → httpx.send``; empty where the error has no frames.
    """

    title: str
    where: str

    def __str__(self) -> str:
        return f"{self.title}    {self.where}" if self.where else self.title


def headline(record: ErrorRecord, *, alone: bool = False) -> Headline:
    """
    Say in one line what happened and where; it stands for all errors with the record's fingerprint.

    Args:
        record: Of the error.
        alone: There is no other such error: what would differ among them is shown as it is.
    """
    return Headline(_one_line(_title(record, alone)), _one_line(where(record)))


def where(record: ErrorRecord) -> str:
    """Return the place in the user's code as ``file:line in function → library.function``."""
    place = place_of(record)
    if place is None or module_name(place.frame).partition(".")[0] == "unlost":  # of us there is nothing to see
        return ""
    spot = f"{base_name(place.frame['file'])}:{place.frame['line']} in {short_function(place.frame)}"
    return f"{spot} → {entered_name(place.entered)}" if place.entered else spot


def _title(record: ErrorRecord, alone: bool = False) -> str:
    name = record["type"]["qualname"].rpartition("<locals>.")[2]
    if members := record.get("members"):
        kinds = dict.fromkeys(_title(member) for member in members)
        return f"{name} of {_shortened(', '.join(kinds))}"
    attributes = record.get("attributes", {})
    if "status" in attributes:
        return f"{name} status={attributes['status']}"
    if "errno_name" in attributes:
        return f"{name} {attributes['errno_name']}"
    message = record["message"]
    summary = (message if alone else template_of(record)).strip()
    return f"{name} {_shortened(summary.partition(chr(10))[0])}".rstrip()


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1].rstrip() + "…"


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())
