"""
One rate of one key, as arithmetic: the clock is the caller's.

The generic cell rate algorithm (ITU-T I.371, virtual scheduling) with a debt: a caller goes on once all that was taken
before it has been earned, and then takes what it needs, however much that is. So in any stretch of ``t`` seconds
callers take at most what the rate allows in ``t``, and what one of them needs; and one that needs more than the rate
gives in a whole period waits for those before it, not for ever. (A loop that is late makes up for it, so that the pace
is kept in the long run, but for no more than a twentieth of a second.)
"""

from __future__ import annotations

import math

from unlost.batch.options._rates import Rate


class Meter:
    """
    What is left of a rate.

    Attributes:
        due: When the next caller may go on, by the clock of those who take.
    """

    __slots__ = ("_each", "due")

    def __init__(self, rate: Rate) -> None:
        self.due = -math.inf
        self._each = rate.per / rate.count

    def take(self, amount: float, now: float, late: float) -> None:
        """Take so much, at a time when it is due, or by up to ``late`` seconds later."""
        self.due = max(self.due, now - late) + amount * self._each

    def take_more(self, amount: float, now: float) -> None:
        """Take what turns out now to have been used beyond what was taken."""
        self.due = max(self.due, now) + amount * self._each

    def give_back(self, amount: float) -> None:
        """Give back what was taken and not used."""
        self.due -= amount * self._each
