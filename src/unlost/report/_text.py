"""Numbers, times and columns for a terminal."""

from __future__ import annotations

from collections.abc import Sequence


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


def columns(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset(), gap: str = "  ") -> list[str]:
    """Align cells under each other; the columns of ``right`` to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
