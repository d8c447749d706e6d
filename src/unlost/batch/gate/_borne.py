"""How many calls a service bore lately."""

from __future__ import annotations

from typing import Final

_MINUTE: Final = 60.0  # most services count in windows of up to a minute: less of it would tell of a part of one


class Borne:
    """
    Counts answers since it was made, or over the last minute or two.

    Args:
        now: When it is made.
    """

    __slots__ = ("_began", "_count", "_earlier", "_earlier_began")

    def __init__(self, now: float) -> None:
        self._began = self._earlier_began = now
        self._count = self._earlier = 0

    def add(self, now: float) -> None:
        """Count an answer."""
        if now - self._began > _MINUTE:
            self._earlier_began, self._earlier = self._began, self._count
            self._began, self._count = now, 0
        self._count += 1

    @property
    def count(self) -> int:
        return self._earlier + self._count

    def seconds(self, now: float) -> float:
        """Return for how long it has counted what ``count`` says."""
        return now - self._earlier_began

    def after(self, earlier: Borne) -> None:
        """Count what the other one did as well, as the time before."""
        self._earlier += earlier.count
        self._earlier_began = earlier._earlier_began
