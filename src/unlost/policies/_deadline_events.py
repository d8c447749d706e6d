"""What is told of limits of time."""

from __future__ import annotations

from dataclasses import dataclass

from unlost._core import Event


@dataclass(frozen=True, slots=True)
class DeadlineFired(Event):
    """
    A limit of time fired: the work in it was asked to stop.

    Attributes:
        name: The limit's.
        seconds: How long it was.
        where: Where the work stood, ``file.py:12 in function``.
    """

    name: str
    seconds: float
    where: str
