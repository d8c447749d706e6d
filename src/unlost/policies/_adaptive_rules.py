"""
From how calls went to how many may run at once: pure functions.

Two rules, after TCP's congestion control and Netflix's concurrency-limits, which brought it to services:

- ``Aimd``: one more for each round of calls that went well, a share less for one that did not. (Chiu and Jain, 1989,
  show that of the linear rules it is the one that is stable and fair. RFC 5681 is TCP's.) It needs a server that fails,
  or slows down, when it has too much to do.
- ``Gradient``: as many as run without waiting for one another, told from the time they take. It needs calls that take
  about the same time each. Unlike Netflix's ``Gradient2Limit``, which compares a long average with a short one and
  drifts upwards where both rise together (Netflix/concurrency-limits#134), it goes and looks from time to time how long
  calls take when fewer of them run, as BBR does.

In both, a round is made of calls that started after the limit was last set: those before tell of another limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from unlost.errors import UsageError
from unlost.policies._checks import check_count, check_seconds
from unlost.policies._limit_usage import check_number

# A round has at least as many calls, and more where it is to tell how long they take unloaded: an average over fewer
# tells of chance more than of load.
_CALLS: Final = 20
_CALLS_TO_MEASURE: Final = 60
_LIMIT_TO_BEGIN: Final = 4
# How much of a faster round is believed, and of a slower one: either may be chance, the slower one is mostly load.
_FASTER: Final = 0.1
_SLOWER: Final = 0.003


class Sample(NamedTuple):
    """
    How one call went.

    Attributes:
        started: When it was let in, by the loop's clock.
        ended: When it ended.
        running: How many calls ran when it started, itself included.
        failed: Whether it failed as it does when there is too much to do.
    """

    started: float
    ended: float
    running: int
    failed: bool


class State(NamedTuple):
    """
    What is known of a limit; the fields after ``since`` are ``Gradient``'s.

    Attributes:
        limit: How many calls may run, fractions included.
        since: When this round began: what started before does not count.
        calls: How many calls of this round have ended.
        seconds: How long these took, in all.
        unloaded: How long a call takes when it has not to wait for others.
        rounds: How many rounds remain until that is measured again; in the one where it is, 0.
        resume: The limit to go on from after that one.
    """

    limit: float
    since: float = -math.inf
    calls: int = 0
    seconds: float = 0.0
    unloaded: float = math.inf
    rounds: int = 0
    resume: float = 1.0


class Algorithm(Protocol):
    """A rule that moves a limit: a pure function."""

    def begin(self, limit: float, minimum: float) -> State:
        """Return what is known before the first call, with a limit from ``minimum`` to ``limit``."""
        ...

    def after(self, state: State, sample: Sample, minimum: float, maximum: float) -> State:
        """Return what is known after another call, with a limit from ``minimum`` to ``maximum``."""
        ...


@dataclass(frozen=True, slots=True)
class Aimd:
    """
    One more for each round that went well, a share less for one that did not.

    Attributes:
        increase: By how much the limit grows with each round; above 0.
        decrease: What is left of it after a round with a failure; above 0, below 1.
        slow: A call that takes longer, in seconds, counts as failed; None is any time.
    """

    increase: float = 1.0
    decrease: float = 0.8
    slow: float | None = None

    def __post_init__(self) -> None:
        check_number("Aimd", "increase", self.increase, math.ulp(0))
        _check_decrease("Aimd", self.decrease)
        if self.slow is not None:
            check_seconds("Aimd", "slow", self.slow)

    def begin(self, limit: float, minimum: float) -> State:  # noqa: ARG002  # the protocol's
        return State(limit)

    def after(self, state: State, sample: Sample, minimum: float, maximum: float) -> State:
        if sample.failed or (self.slow is not None and sample.ended - sample.started > self.slow):
            return _lowered(state, sample, self.decrease, minimum)
        limit = state.limit
        if limit >= maximum or not _is_used(limit, sample):
            return state
        return state._replace(limit=min(maximum, limit + self.increase / limit))


@dataclass(frozen=True, slots=True)
class Gradient:
    """
    As many as run without waiting for one another, told from the time they take.

    While a round takes at most ``tolerance`` times as long as it would unloaded, the limit grows by its square root;
    when it takes longer, the limit shrinks in proportion, to half at most. With a server that does n calls at a time
    it comes to rest near ``tolerance * n``. A server that has become slower for good is taken for an overloaded one
    until the next measurement. It begins with one, and a limit of 4.

    Attributes:
        tolerance: From 1 to below 2.
        decrease: What is left of the limit after a round with a failure; above 0, below 1.
        measure_every: After how many rounds the limit is quartered for one, to measure how long a call takes unloaded.
    """

    tolerance: float = 1.5
    decrease: float = 0.8
    measure_every: int = 30

    def __post_init__(self) -> None:
        # at 2, a server with a queue would look unloaded with half of it
        check_number("Gradient", "tolerance", self.tolerance, 1, math.nextafter(2, 1))
        _check_decrease("Gradient", self.decrease)
        check_count("Gradient", "measure_every", self.measure_every)

    def begin(self, limit: float, minimum: float) -> State:
        return State(max(minimum, min(limit, _LIMIT_TO_BEGIN)), resume=limit)

    def after(self, state: State, sample: Sample, minimum: float, maximum: float) -> State:
        if sample.failed:
            return _lowered(state, sample, self.decrease, minimum)
        if sample.started < state.since:
            return state
        calls = state.calls + 1
        seconds = state.seconds + (sample.ended - sample.started)
        if calls < max(_CALLS if state.rounds else _CALLS_TO_MEASURE, state.limit):
            return state._replace(calls=calls, seconds=seconds)
        if state.rounds == 0:
            return State(state.resume, sample.ended, 0, 0.0, seconds / calls, self.measure_every, state.resume)
        return self._next_round(state, sample, seconds / calls, minimum, maximum)

    def _next_round(self, state: State, sample: Sample, average: float, minimum: float, maximum: float) -> State:
        unloaded = state.unloaded
        if state.limit <= minimum:
            unloaded = average  # with fewer calls than these it will never be measured
        else:
            unloaded += (average - unloaded) * (_FASTER if average < unloaded else _SLOWER)
        limit = self._moved(state.limit, sample, unloaded, average)
        limit = max(minimum, min(maximum, limit))
        rounds = state.rounds - 1
        now = limit if rounds else max(minimum, limit / 4)
        return State(now, sample.ended, 0, 0.0, unloaded, rounds, limit)

    def _moved(self, limit: float, sample: Sample, unloaded: float, average: float) -> float:
        allowed = self.tolerance * unloaded
        if average > allowed:
            return limit * max(0.5, allowed / average)
        return limit + math.sqrt(limit) if _is_used(limit, sample) else limit


def _lowered(state: State, sample: Sample, decrease: float, minimum: float) -> State:
    """Begin another round, with a lower limit, unless this failure was under way when the last one began."""
    if sample.started < state.since:
        return state
    limit = max(minimum, state.limit * decrease)
    return State(limit, sample.ended, 0, 0.0, state.unloaded, state.rounds, max(minimum, state.resume * decrease))


def _is_used(limit: float, sample: Sample) -> bool:
    """Tell whether the limit is at work at all: it must not grow while hardly anybody calls."""
    return sample.running * 2 >= limit


def _check_decrease(call: str, decrease: object) -> None:
    is_number = isinstance(decrease, int | float) and not isinstance(decrease, bool)
    if not is_number or not 0 < decrease < 1:  # type: ignore[operator]  # a number
        raise UsageError(
            f"{call}(decrease={decrease!r}): expected a number between 0 and 1. Write {call}(decrease=0.8)."
        )
