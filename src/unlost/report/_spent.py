"""What a run spent, in a line."""

from __future__ import annotations

from collections.abc import Iterator

from unlost.batch import Spent


def spent_line(spent: Spent, in_doubt: int) -> Iterator[str]:
    """Yield the line where anything was spent; what calls in doubt cost besides, nobody knows."""
    if not spent.total:
        return
    parts = [f"spent {spent.total}"]
    if spent.failed:
        parts.append(f"{spent.failed} of it by attempts that failed")
    if in_doubt:
        parts.append(f"unknown for {in_doubt:,} in doubt")
    yield "; ".join(parts)
