"""
What the two processes say to each other: a JSON text a line, each after an RS, as in a JSON text sequence (RFC 7464).

The child speaks on what was its standard output. What anything prints there before the child has moved it away has no
RS, so that it is told from a frame.

The child says:

=============  =====================================================================================
``unfit``      why the item cannot be run there, in a sentence, and whether no other can: nothing was started
``began``      the target is open; the item starts now
``attempt``    its number
``raised``     the record of what an attempt raised, another one may follow
``spend``      the fields of a ``Spend``
``keep``       a number, the fields of a ``Keep``
``ended``      the fields of an ``Ended``
``cancelled``  it was cancelled by a signal; what its attempts had raised, as the journal keeps that, or null
``after``      the record of what the target raised when it was left
=============  =====================================================================================

The parent says ``perform``, once, with the request, and then ``kept``: the number, and an error's text or null.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final, NamedTuple

_MARK: Final = b"\x1e"


class Frame(NamedTuple):
    """One thing said; JSON keeps tuples as lists."""

    name: str
    parts: list[Any]  # Any: see the table


def write_frame(name: str, *parts: object) -> bytes:
    # json escapes RS and line feeds in texts: neither can stand within a frame
    return _MARK + json.dumps([name, *parts], separators=(",", ":")).encode() + b"\n"


def read_frame(line: bytes) -> tuple[bytes, Frame | None]:
    """
    Read a line.

    Returns:
        What is before the frame, or the whole line where there is none; the frame. One that was cut off, by the death
        of who wrote it, is none.
    """
    noise, mark, text = line.partition(_MARK)
    if not mark or not text.endswith(b"\n"):
        return noise, None
    name, *parts = json.loads(text)
    return noise, Frame(name, parts)


def packed(value: bytes | str) -> list[str]:
    """Return what JSON can hold in the place of bytes or a text."""
    return ["text", value] if isinstance(value, str) else ["bytes", base64.b64encode(value).decode()]


def unpacked(value: list[str]) -> bytes | str:
    kind, text = value
    return text if kind == "text" else base64.b64decode(text)
