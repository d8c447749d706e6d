"""
Whether calls are refused because they come too fast, or by chance.

A service that is overloaded, or an account that others use too, refuses some calls however slowly they come. Each such
refusal, taken for a limit, lowers the pace, and the next one comes long before it has grown back: it falls and falls
(TCP's weakness under random loss; Mathis, Semke, Mahdavi and Ott, "The macroscopic behavior of the TCP congestion
avoidance algorithm", 1997). A limit shows in three ways that chance does not:

- It refuses at the pace that it refused before, and hardly below it. So only a refusal below the supposed limit,
  where the pace was what held calls back, is taken for chance; and two in a row at or above it end the suspicion.
- Lowering the pace helps: a bucket of 50 is empty after 250 calls at 1.25 times its rate, after 5,000 at 1.01. By
  chance, there are as many calls between refusals at any pace. They are not equally many, though: what is regular is
  a window's.
- It refuses many of the calls that are under way at once.

Where chance is likely, the pace goes back to what it was before it fell, and searches upwards through all refusals, as
long as these stay few and do not come far more often than at the lower pace. To be wrong in either way costs little:
a few cycles at a lower pace, or a few rests. And below the supposed limit a cheap refusal does not lower the pace,
whatever its cause.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from unlost.batch.gate._pace import Cycle, Pace

_SEEN: Final = 8  # cycles that are remembered
_LEAST: Final = 3  # so many tell something
_LOWERED: Final = 0.8  # how far the pace has to have fallen before that can be said not to help
_GROWN: Final = 1.5  # so many times the answers a cycle would be a help
_FALLEN: Final = 1 / 5  # what is left of them where the limit itself has fallen
_REGULAR: Final = 1.3  # where the most and the fewest are no further apart; three by chance are not once in 60 times
_FEW: Final = 0.05  # of the calls: more than chance refuses where it is worth calling on
_CHEAP: Final = 0.03  # of the calls
_CHEAP_TIME: Final = 0.07  # of the time, for rests
_TRUSTED: Final = 6  # cycles that say that refusals come more often
_OFTEN: Final = 1 / 3  # what is left of the answers a cycle then
_DOUBLING: Final = 5.0  # seconds in which the pace doubles while refusals are by chance


class Ending(NamedTuple):
    """
    How a cycle ended.

    Attributes:
        pace: What had been reached when a call was refused.
        is_below: Whether that is clearly less than the supposed limit, and held calls back.
        cycle: What the cycle came to.
    """

    pace: float
    is_below: bool
    cycle: Cycle


class Chance:
    """
    Remembers the last cycles of one key.

    Attributes:
        normal: How many calls are answered a cycle, while refusals are taken for chance; else None.
    """

    __slots__ = ("_lately", "normal")

    def __init__(self) -> None:
        self._lately: deque[Ending] = deque(maxlen=_SEEN)
        self.normal: float | None = None

    def after(self, pace: Pace, ending: Ending) -> Pace | None:
        """Return the pace to go on with: ``pace`` where it goes on as it was; None where it met a limit."""
        if ending.cycle.in_vain and self._lately:
            ending = _together(self._lately.pop(), ending)
        if self.normal is not None:
            return pace if self._goes_on(ending, self.normal) else None
        if not ending.is_below and self._lately and not self._lately[-1].is_below:
            self._lately.clear()
        self._lately.append(ending)
        cycles = [seen.cycle for seen in self._lately]
        goes_on = ending.is_below and is_cheap(cycles)
        if len(cycles) >= _LEAST and (goes_on or (ending.is_below and is_by_chance(self._lately))):
            self.normal = _answers(cycles)
            highest = max(seen.pace for seen in self._lately)
            self._lately.clear()
            return Pace(highest, None, _DOUBLING)
        return pace if goes_on else None

    def _goes_on(self, ending: Ending, normal: float) -> bool:
        self._lately.append(ending)
        if is_still_chance([seen.cycle for seen in self._lately], normal):
            return True
        self._lately.clear()
        self.normal = None
        return False


def is_cheap(cycles: Collection[Cycle]) -> bool:
    """Tell whether to be refused cost next to nothing."""
    rested = sum(cycle.rest for cycle in cycles)
    return rested <= _CHEAP_TIME * sum(cycle.seconds for cycle in cycles) and _share(cycles) <= _CHEAP


def is_by_chance(endings: Sequence[Ending]) -> bool:
    """Tell whether lowering the pace did not make refusals rarer."""
    cycles = [ending.cycle for ending in endings]
    if endings[-1].pace > _LOWERED * endings[0].pace or _share(cycles[1:]) > _FEW:
        return False
    half = len(cycles) // 2
    counts = [cycle.answers for cycle in cycles]
    is_regular = max(counts) < _REGULAR * min(counts)
    growth = _answers(cycles[-half:]) / _answers(cycles[:half])
    return not is_regular and _FALLEN <= growth <= _GROWN


def is_still_chance(cycles: Collection[Cycle], normal: float) -> bool:
    """Tell whether refusals are few, and not far more frequent than once in ``normal`` answers."""
    if _share(cycles) > _FEW:
        return False
    return len(cycles) < _TRUSTED or _answers(cycles) >= _OFTEN * normal or is_cheap(cycles)


def _answers(cycles: Collection[Cycle]) -> float:
    return (sum(cycle.answers for cycle in cycles) + 1) / len(cycles)


def _share(cycles: Collection[Cycle]) -> float:
    """Return how many of the calls were refused, as a part of them."""
    refusals = sum(cycle.refusals for cycle in cycles)
    return refusals / max(refusals + sum(cycle.answers for cycle in cycles), 1)


def _together(earlier: Ending, vain: Ending) -> Ending:
    """Return both as one: what a rest in vain ends has already counted the answers of the cycle before."""
    rest = earlier.cycle.rest + vain.cycle.rest
    refusals = earlier.cycle.refusals + vain.cycle.refusals
    return vain._replace(cycle=vain.cycle._replace(rest=rest, refusals=refusals))
