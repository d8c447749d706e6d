"""Text of strangers as HTML: whatever it holds, it stays text."""

from __future__ import annotations

from html import escape
from typing import Final

from unlost.report._text import one_line

_MORE: Final = "…"


def safe(text: str) -> str:
    """Return text for an element or a quoted attribute; what would change the page or the direction is spelled out."""
    return escape("\t".join(one_line(part) for part in text.split("\t")))


def brief(text: str, room: int) -> str:
    """Return ``safe(text)``, or as much of its beginning as takes at most ``room`` bytes."""
    if len(text) <= room and size(whole := safe(text)) <= room:
        return whole
    kept, left = [], room - size(_MORE)
    for character in text[:room]:
        left -= size(piece := safe(character))
        if left < 0:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + _MORE


def size(text: str) -> int:
    """Return how many bytes the text takes in the file."""
    return len(text) if text.isascii() else len(text.encode())
