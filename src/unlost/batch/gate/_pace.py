"""
How fast calls start on a key that has refused some: pure functions.

What a service allows is unknown, and so is how it counts: a bucket of tokens, a window of a second or of a minute. What
is known after a rest is how many calls it bore from one rest's end to the next, the rest included (a window that was
used up at once and then rested bore just its rate; a bucket that stood full during the rest would have borne more),
and the pace that it refused. The rate is between the two. Hence:

- Where the service went on refusing after a rest, nothing of what it allows was left unused: what was borne is the
  rate itself.
- Else, after a first refusal, search: begin with what was borne, and double, as TCP's slow start does, until the next.
- From then on the limit is known roughly. Start a little below the geometric mean of the two bounds, where they are far
  apart, or a little below what was refused, where the pace had grown slowly up to it, and grow along CUBIC's curve
  (RFC 9438, 4.2) towards what was refused: quickly at first, hardly at all near it, and then ever faster, for the limit
  may have risen. So most of the time is spent just below the limit; a refusal is rare, and comes when the pace is
  hardly above it, so that few calls are refused at once. (To search between a bound that was borne and one that was
  refused is BIC's idea: Xu, Harfoush and Rhee, "Binary increase congestion control", 2004. The curve is of the
  logarithm of the pace, since a pace may be one a minute or ten thousand a second.)

All of this takes a refusal for a limit's; ``_chance.py`` tells where it is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

_DIP: Final = 0.9  # the pace after a rest, as a part of the supposed limit
_NEAR: Final = 1.25  # a pace of so many times the supposed limit was a search for a new one
_BELOW: Final = 0.98  # what is taken for the limit, as a part of what was refused
_TELLING: Final = 10  # so few answers tell too little: half of what was refused is the least then
_DOUBT: Final = 1 / 3  # how far below what was refused the limit is supposed to be, on the way to what is between
_FAR: Final = 6  # a pace of so many times what was borne is no limit to go to
_LONG: Final = 10  # a cycle of so many rests tells the rate by itself
_SPAN: Final = 15.0  # seconds that the curve takes up to the supposed limit, at least
_SEARCH_SPAN: Final = 8.0  # the same where the limit is hardly known
_MOST_SPAN: Final = 60.0
_RESTS: Final = 15  # a long rest is worth being rare: the span in rests
_DOUBLING: Final = 0.5  # seconds in which a search doubles, at least
_CALLS: Final = 4  # and the calls that it makes meanwhile
_MOST_DOUBLINGS: Final = 60.0  # more than any loop can do, and no overflow


class Cycle(NamedTuple):
    """
    What is known at the end of a rest.

    Attributes:
        answers: Calls that were not refused, since the end of the rest before.
        seconds: How long that is ago.
        rest: How much of it was the rest.
        delay: Seconds from the start of the refused call to its answer.
        in_vain: Whether more than one rest was needed.
        refusals: Calls that were refused.
    """

    answers: int
    seconds: float
    rest: float
    delay: float
    in_vain: bool = False
    refusals: int = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """
    Calls a second, as they grow.

    Attributes:
        begin: What it begins with.
        limit: Where the service's limit is supposed to be; None of a search, which doubles in each ``seconds``.
        seconds: The scale of its time; the curve reaches ``limit`` after them.
    """

    begin: float
    limit: float | None
    seconds: float

    def after(self, grown: float) -> float:
        """Return the pace after it has been the limit of what was done for so many seconds."""
        if self.limit is None:
            return self.begin * math.exp2(min(grown / self.seconds, _MOST_DOUBLINGS))
        place = math.pow(grown / self.seconds - 1, 3)
        return self.limit * math.exp(min(place * math.log(self.limit / self.begin), _MOST_DOUBLINGS))


def first(cycle: Cycle) -> Pace:
    """Return the pace after the first refusal of a key."""
    borne = max(cycle.answers, 1) / max(cycle.seconds, cycle.rest, cycle.delay, _MOMENT)
    if cycle.in_vain or cycle.seconds > _LONG * max(cycle.rest, cycle.delay):
        return Pace(borne * _DIP, borne, _span(borne, cycle, _SPAN))
    return Pace(borne, None, max(_DOUBLING, cycle.delay, _CALLS / borne))


def following(pace: Pace, refused: float, cycle: Cycle) -> Pace:
    """Return the pace after another refusal, which came when the pace had grown to ``refused``."""
    limit = refused * _BELOW
    if pace.limit is not None and pace.limit <= refused <= _NEAR * pace.limit:
        return Pace(limit * _DIP, limit, _span(limit, cycle, _SPAN))
    borne = cycle.answers / max(cycle.seconds, _MOMENT)
    if cycle.in_vain and cycle.answers >= _TELLING:
        limit = min(borne, limit)
        return Pace(limit * _DIP, limit, _span(limit, cycle, _SPAN))
    between = math.sqrt(borne * refused)
    if cycle.answers < _TELLING:
        between = max(between, refused / 2)
    elif refused > _FAR * borne:
        limit = between
    else:
        limit = max(between, between**_DOUBT * limit ** (1 - _DOUBT))
    return Pace(min(between, limit) * _DIP, limit, _span(between, cycle, _SEARCH_SPAN))


_MOMENT: Final = 1e-3  # shorter than any call


def _span(pace: float, cycle: Cycle, least: float) -> float:
    seconds = min(max(least, _RESTS * cycle.rest, _RESTS * cycle.delay), _MOST_SPAN)
    return max(seconds, _RESTS / pace)
