"""What is kept of an item: what may be, how it is stored, and how it is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from unlost.batch._values import MOST, OutputError, encode
from unlost.batch.paid._names import MOST_NAME, is_name
from unlost.errors import UsageError


class Kept(Mapping[str, Any]):  # Any: bytes, or whatever JSON can hold
    """
    What is kept of an item, by name; a mapping that cannot be written to.

    Each reading makes the value anew, so what a job does to it changes nothing that is kept.
    """

    __slots__ = ("_stored",)

    def __init__(self, stored: Mapping[str, bytes | str]) -> None:
        self._stored = stored

    def __getitem__(self, name: str) -> Any:  # Any: as above
        stored = self._stored[name]
        return stored if isinstance(stored, bytes) else json.loads(stored)

    def __contains__(self, name: object) -> bool:
        return name in self._stored

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def __repr__(self) -> str:
        return f"<kept: {', '.join(map(repr, self._stored)) or 'nothing'}>"


def check_name(call: str, name: object) -> None:
    """
    Refuse what cannot be the name of something kept.

    Raises:
        UsageError: It cannot.
    """
    if is_name(name):
        return
    raise UsageError(
        f"context.{call}({name!r}, ...) got no name.\n"
        f'Write a text of 1 to {MOST_NAME} characters first: context.{call}("response", ...)'
    )


def stored_form(name: str, value: object) -> bytes | str:
    """
    Return a value as it is stored: bytes as they are, anything else as JSON, either ``MOST`` bytes long at most.

    Raises:
        OutputError: JSON cannot hold it.
        UsageError: These are more bytes.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        return _bounded(name, bytes(value))
    try:
        return encode(value)
    except OutputError as refusal:
        refusal.add_note(f"It was not returned; it was to be kept: context.keep({name!r}, ...), which takes bytes too.")
        raise


def _bounded(name: str, value: bytes) -> bytes:
    if len(value) > MOST:
        raise UsageError(
            f"context.keep({name!r}, ...) got {len(value):,} bytes; at most {MOST:,} are kept.\n"
            "Keep what is needed of it, or write it to a file of yours and keep its path."
        )
    return value
