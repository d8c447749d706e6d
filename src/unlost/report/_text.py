"""Numbers, times and columns for a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# What moves the cursor, colours, changes the direction of writing, or is half of a character
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clock_time(seconds: float) -> str:
    """Return ``0.4s``, ``41s``, ``2m14s`` or ``3h05m``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_rest = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes_rest:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def rate(count: int, seconds: float) -> str:
    """Return ``73/s``, or ``4.1/min`` where less than one a second ended."""
    each_second = count / seconds if seconds > 0 else 0.0
    return f"{each_second:,.0f}/s" if each_second >= 1 else f"{60 * each_second:,.1f}/min"


def one_line(text: str) -> str:
    """Return text from a stranger (a key, an input, a path) as a terminal can have it: what would drive it escaped."""
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def width(text: str) -> int:
    """Return how many cells of a terminal the text takes: East Asian characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def shortened(text: str, cells: int) -> str:
    """Return as much of the beginning as fits into so many cells, with ``…`` where there was more."""
    if width(text) <= cells:
        return text
    kept = text[: cells - 1]  # no character takes less than a cell, but those that combine
    while width(kept) > cells - 1:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def columns(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset(), gap: str = "  ") -> list[str]:
    """Align cells under each other; the columns of ``right`` to the right."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(
            _padded(cell, cells, number in right) for number, (cell, cells) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _padded(cell: str, cells: int, right: bool) -> str:
    padding = " " * (cells - width(cell))
    return padding + cell if right else cell + padding
