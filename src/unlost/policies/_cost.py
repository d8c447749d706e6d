"""What one call can come to, at worst."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """
    What one call through a layer can come to, at worst.

    Attributes:
        seconds: How long it takes, waits included; ``math.inf`` where nothing bounds it.
        calls: How many calls arrive at what is inside; ``math.inf`` likewise.
    """

    seconds: float
    calls: float
