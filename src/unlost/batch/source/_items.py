"""Python objects as lines of JSON, refused where the way back would give something else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from unlost.errors import UsageError

_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def as_json_lines(items: Iterable[Any]) -> Iterator[bytes]:  # items are whatever JSON can hold
    """
    Yield each item as one line of JSON.

    Tuples arrive at the job as lists, members of ``IntEnum`` and ``StrEnum`` as their values.

    Raises:
        UsageError: An item is not what JSON can hold; it says which and what to write.
    """
    for position, item in enumerate(items, 1):
        try:
            text = _ENCODER.encode(item)
        except (TypeError, ValueError, RecursionError) as refusal:
            raise UsageError(
                f"Item {position} of the source, a {type(item).__name__}, cannot be kept as JSON: {refusal}. "
                "Give the job what names the thing (a path as str, a time as .isoformat()) and build it in there."
            ) from refusal
        _refuse_other_keys(item, position)
        yield text.encode() + b"\n"


def _refuse_other_keys(item: object, position: int) -> None:
    """JSON's names are strings: ``{1: "a"}`` would come back as ``{"1": "a"}``, without a word."""
    pending = [item]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            for name in value:
                if not isinstance(name, str):
                    raise UsageError(
                        f"Item {position} of the source is a dict with the key {name!r}, which JSON would turn into "
                        "a string. Write {str(key): value for key, value in item.items()}."
                    )
            pending.extend(value.values())
        elif isinstance(value, list | tuple):
            pending.extend(value)
