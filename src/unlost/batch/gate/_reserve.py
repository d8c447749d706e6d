"""
What calls of one key reserve of its rates, and what they really used.

Nothing is known of the first calls' tokens where the job gives no estimate: a few of them are let go at once, until one
has told what it used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from unlost.batch.gate._meter import Meter
from unlost.batch.gate._need import Amounts, Needs
from unlost.batch.options._rates import Rate, Unit

_UNKNOWN: Final = 4  # calls under way of whose tokens nothing is known, neither estimate nor mean


class Reserved:
    """
    What one call took.

    Attributes:
        amounts: Of each rate, as far as it was known.
        used: What the call said that it used.
        is_known: Whether it was known of all rates.
    """

    __slots__ = ("amounts", "is_known", "used")

    def __init__(self, amounts: dict[Unit, float], is_known: bool) -> None:
        self.amounts = amounts
        self.used: dict[Unit, float] = {}
        self.is_known = is_known


class Reserve:
    """
    Args:
        rates: Of the key.
        needs: Says what calls need of them.
    """

    __slots__ = ("_meters", "_needs", "_unknown")

    def __init__(self, rates: Sequence[Rate], needs: Needs) -> None:
        self._needs = needs
        self._meters: dict[Unit, Meter] = {rate.unit: Meter(rate) for rate in rates}
        self._unknown = 0

    def due(self, estimate: Amounts) -> float:
        """Return when a call may go on that estimates this; infinite where another has to tell first what it used."""
        if self._unknown >= _UNKNOWN and not self._needs.is_known(self._needs.of(estimate)):
            return math.inf
        return max((meter.due for meter in self._meters.values()), default=-math.inf)

    def take(self, estimate: Amounts, now: float, late: float) -> Reserved:
        """Take what a call needs, when it is due, or by up to ``late`` seconds later."""
        amounts = self._needs.of(estimate)
        reserved = Reserved(amounts, self._needs.is_known(amounts))
        self._unknown += not reserved.is_known
        for unit, meter in self._meters.items():
            meter.take(amounts.get(unit, 0.0), now, late)
        return reserved

    def use(self, reserved: Reserved, told: Amounts, now: float) -> None:
        """Take at once what a call used beyond what it had reserved."""
        for unit, amount in self._needs.used(told).items():
            before, most = reserved.used.get(unit, 0.0), reserved.amounts.get(unit, 0.0)
            reserved.used[unit] = before + amount
            more = max(0.0, before + amount - most) - max(0.0, before - most)
            if more:
                self._meters[unit].take_more(more, now)

    def end(self, reserved: Reserved, *, silent_is_all: bool) -> None:
        """
        Give back the tokens that an ended call did not use.

        Args:
            reserved: What it took.
            silent_is_all: Whether one that told nothing used what it had estimated, or nothing.
        """
        self._unknown -= not reserved.is_known
        if reserved.used or not silent_is_all:
            for unit, amount in reserved.amounts.items():
                if unit != "calls":
                    self._meters[unit].give_back(max(0.0, amount - reserved.used.get(unit, 0.0)))
            reserved.amounts = {}

    def give_back_call(self) -> None:
        """Give back a call that was not made."""
        if "calls" in self._meters:
            self._meters["calls"].give_back(1.0)

    def is_full(self, now: float) -> bool:
        """Tell whether nothing is owed."""
        return all(meter.due <= now for meter in self._meters.values())
