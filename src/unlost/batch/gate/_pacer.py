"""The pace of one key, from one rest to the next: when a call may start, and what is learnt for the time after."""

from __future__ import annotations

import math
from typing import Final

from unlost.batch.gate._borne import Borne
from unlost.batch.gate._chance import Chance, Ending
from unlost.batch.gate._pace import Cycle, Pace, first, following

_BELOW: Final = 0.97  # of the supposed limit: nearer to it, a refusal is no surprise


class Pacer:
    """
    Holds nobody back before a first refusal.

    Args:
        now: When the first call of the key starts.

    Attributes:
        due: When the next call may start.
    """

    __slots__ = (
        "_before",
        "_borne",
        "_chance",
        "_delay",
        "_granted",
        "_grown",
        "_in_vain",
        "_is_limit",
        "_old_borne",
        "_pace",
        "_refusals",
        "_was_limit",
        "due",
    )

    def __init__(self, now: float) -> None:
        self.due = -math.inf
        self._pace: Pace | None = None
        self._grown = 0.0
        self._is_limit = False
        self._borne = self._old_borne = Borne(now)
        self._before: tuple[Pace | None, float] = (None, math.inf)  # and the pace that was refused
        self._delay: float | None = None
        self._in_vain = False
        self._chance = Chance()
        self._refusals = 0
        self._was_limit = False  # when the cycle's first call was refused

    @property
    def is_pacing(self) -> bool:
        return self._pace is not None

    def look(self, now: float) -> None:
        """Somebody waits for nothing but the pace: it grows only while that is so."""
        self._is_limit = self._is_limit or self.due > now

    def granted(self, now: float, late: float) -> None:
        """A call starts, when it is due, or by up to ``late`` seconds later; 0 for one that did not wait."""
        if self._pace is None:
            return
        self._is_limit = self._is_limit and late > 0
        pace = self._pace.after(self._grown)
        if self._is_limit:
            # its time is that of the calls it let through: where the loop is too busy to keep the pace, it stays
            self._grown += 1 / pace
        self.due = max(self.due, now - late) + 1 / pace

    def unused(self, now: float) -> None:
        """A call that was granted was not made: the next may start now."""
        self.due = min(self.due, now)

    def answered(self, now: float) -> None:
        """A call was answered, by anything that is no refusal."""
        self._borne.add(now)

    def refused(self, delay: float, *, in_vain: bool) -> None:
        """
        A rest begins, since a call was refused.

        Args:
            delay: Seconds from its start.
            in_vain: Whether no call was answered that started after the rest before: that was too short, and is part
                of one cycle with this one.
        """
        self._delay = delay
        self._refusals += 1
        self._in_vain = in_vain
        if in_vain:
            self._borne.after(self._old_borne)
        else:
            self._before = (self._pace, math.inf if self._pace is None else self._pace.after(self._grown))
            self._was_limit = self._is_limit

    def refused_too(self) -> None:
        """Another call was refused that was under way when the rest began."""
        self._refusals += 1

    def resume(self, since: float, now: float) -> None:
        """A rest ends that began at ``since``; without a refusal since the one before, the pace goes on as it was."""
        if self._delay is not None:
            self._learn(now - since, now, self._delay)
            self._old_borne, self._borne = self._borne, Borne(now)
            self._refusals = 0
            self._delay = None
        self._is_limit = False
        self.due = now

    def _learn(self, rest: float, now: float, delay: float) -> None:
        borne = self._borne
        cycle = Cycle(borne.count, borne.seconds(now), rest, delay, self._in_vain, self._refusals)
        pace, refused = self._before
        if pace is None:
            self._begin(first(cycle))
            return
        is_below = self._was_limit and pace.limit is not None and refused < _BELOW * pace.limit
        pace_by_chance = self._chance.after(pace, Ending(refused, is_below, cycle))
        if pace_by_chance is None:
            self._begin(following(pace, refused, cycle))
        elif pace_by_chance is not pace:
            self._begin(pace_by_chance)

    def _begin(self, pace: Pace) -> None:
        self._pace = pace
        self._grown = 0.0
