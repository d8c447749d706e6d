"""Whether the inputs have the limit key: with a misspelt one all of them would share rates and rests, unseen."""

from __future__ import annotations

import difflib
from contextlib import closing, suppress
from itertools import islice
from typing import Final

from unlost.batch.gate._limit_key import host_of
from unlost.batch.options._options import Resolved
from unlost.batch.source._errors import SourceError
from unlost.batch.source._keys import MISSING, find
from unlost.batch.source._source import Source
from unlost.errors import UsageError

_LOOKED_AT: Final = 1000  # inputs
_SHOWN: Final = 10  # names of fields


def check_limit_key(resolved: Resolved, source: Source) -> None:
    """
    Look at the first 1,000 inputs for the field of ``--limit-key``; a function is taken as it is.

    Raises:
        UsageError: None of them has it; the message has the names that they have.
    """
    name = resolved.options.limit_key
    if name is None or resolved.limit_key is not None:
        return
    values = _first_values(source)
    if values and not any(_has(value, name) for value in values):
        raise UsageError(f"{_spelled(name, resolved.origins['limit_key'])}: {_none_has(name, values)}")


def _spelled(name: str, origin: str) -> str:
    """Return the option as it stands where it is from: in a command, a call or the decorator."""
    if origin.startswith("flag"):
        return f"--limit-key {name}"
    return f"{origin}: limit_key={name!r}" if origin.startswith("@") else f"limit_key={name!r}"


def _first_values(source: Source) -> list[object]:
    with suppress(SourceError), closing(source.records()) as records:  # cut off: the run itself says so
        return [record.value for record in islice(records, _LOOKED_AT) if record.error is None]
    return []


def _has(value: object, name: str) -> bool:
    return host_of(value) is not None if name == "host" else find(value, name) is not MISSING


def _none_has(name: str, values: list[object]) -> str:
    inputs = "the input is no URL" if len(values) == 1 else f"none of the first {len(values):,} inputs is a URL"
    if name == "host":
        return f"{inputs}, nor has the field 'url' with one.\nWrite --limit-key FIELD, or leave it out."
    inputs = "the input has" if len(values) == 1 else f"none of the first {len(values):,} inputs has"
    fields = list(dict.fromkeys(field for value in values if isinstance(value, dict) for field in value))
    close = difflib.get_close_matches(name, [*fields, "host"], n=1)
    meant = f" Did you mean {close[0]}?" if close else ""
    choices = ", ".join(["host", *map(str, fields[:_SHOWN])])
    return (
        f"{inputs}{' no' if len(values) == 1 else ' a'} field {name!r}, and all would share one limit.{meant}\n"
        f"Write one of {choices}; or a function of the item: @unlost.job(limit_key=...)"
    )
