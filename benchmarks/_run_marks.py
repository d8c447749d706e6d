"""When items ended: the first, the last, and those between which the middle eight tenths lie."""

from __future__ import annotations

import json
from time import time


def positions(items: int) -> list[int]:
    """Return the positions, from 1, of the items whose end is noted."""
    return [1, max(1, items // 10), items * 9 // 10, items]


class Marks:
    """
    Counts ends and notes when some of them were.

    Args:
        items: How many there will be.
    """

    def __init__(self, items: int) -> None:
        self._wanted = set(positions(items))
        self._times: list[float] = []
        self._counts = [0, 0]

    def ended(self, *, ok: bool) -> None:
        counts = self._counts
        counts[ok] += 1
        done = counts[0] + counts[1]
        if done in self._wanted:
            self._times.append(time())  # of the wall: it is compared with another process's

    def print(self) -> None:
        """Say it to the process that measures."""
        print(json.dumps({"failed": self._counts[0], "ok": self._counts[1], "times": self._times}))
