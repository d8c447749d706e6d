"""What a call needs of each rate: what the job says, or what calls used so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from unlost.batch.options._rates import Unit

Amounts = Mapping[Unit, float]

NOTHING: Final[Amounts] = MappingProxyType({})

_REMEMBERED: Final = 100  # calls that the mean is of, in effect: what calls use may change as the input goes on


class Needs:
    """
    Says what a call needs, and learns from those that say what they used.

    Args:
        units: Which rates there are.
    """

    __slots__ = ("_means", "_reports", "_tokens", "_units")

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = tuple(units)
        self._tokens: tuple[Unit, ...] = tuple(unit for unit in self._units if unit != "calls")
        self._means: dict[Unit, float] = {}
        self._reports = 0

    def of(self, estimate: Amounts) -> dict[Unit, float]:
        """Return what a call needs as far as that is known: one call, and the tokens estimated, or else the mean."""
        needed: dict[Unit, float] = {"calls": 1.0} if "calls" in self._units else {}
        for unit in self._tokens:
            amount = _amount(unit, estimate)
            amount = self._means.get(unit) if amount is None else amount
            if amount is not None:
                needed[unit] = amount
        return needed

    def used(self, told: Amounts) -> dict[Unit, float]:
        """Return what was told, as far as there are rates for it."""
        amounts: list[tuple[Unit, float | None]] = [(unit, _amount(unit, told)) for unit in self._tokens]
        return {unit: amount for unit, amount in amounts if amount is not None}

    def learn(self, used: Amounts) -> bool:
        """Take what a call used in all into the mean; return whether anything is known now that was not."""
        known = len(self._means)
        self._reports = min(self._reports + 1, _REMEMBERED)
        for unit, amount in used.items():
            mean = self._means.get(unit, amount)
            self._means[unit] = mean + (amount - mean) / self._reports
        return len(self._means) > known

    def is_known(self, needed: Amounts) -> bool:
        """Tell whether a need is one of all rates."""
        return len(needed) == len(self._units)


def _amount(unit: Unit, told: Amounts) -> float | None:
    """Return how many of a unit that is; ``tokens`` are those of the input and the output, if not told themselves."""
    if unit == "tokens" and unit not in told:
        parts = [told[part] for part in _PARTS if part in told]
        return sum(parts) if parts else None
    return told.get(unit)


_PARTS: Final[tuple[Unit, ...]] = ("input_tokens", "output_tokens")
