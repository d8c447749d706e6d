"""
The states of a breaker as a table: whatever changes its state is one of the rows here.

A result that comes too late (of a call that began before the state changed) is no row: it is not told to the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class BreakerState(Enum):
    """
    Whether a breaker lets calls through.

    Members:
        CLOSED: All of them; it counts how they end.
        OPEN: None.
        HALF_OPEN: A few at a time, as probes.
    """

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Happened(Enum):
    """What a breaker's state depends on."""

    TOO_MANY_FAILED = "too many calls failed or were slow"
    TIME_WAS_UP = "a call came when the time was up"
    PROBE_FAILED = "a probe failed or was slow"
    PROBES_SUCCEEDED = "enough probes succeeded"
    TRIPPED = "somebody tripped it"
    RESET = "somebody reset it"


_CLOSED, _OPEN, _HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN

# What is missing cannot happen: an open breaker has no calls under way that count, a closed one no probes.
TRANSITIONS: Final[Mapping[BreakerState, Mapping[Happened, BreakerState]]] = {
    _CLOSED: {
        Happened.TOO_MANY_FAILED: _OPEN,
        Happened.TRIPPED: _OPEN,
        Happened.RESET: _CLOSED,
    },
    _OPEN: {
        Happened.TIME_WAS_UP: _HALF_OPEN,
        Happened.TRIPPED: _OPEN,
        Happened.RESET: _CLOSED,
    },
    _HALF_OPEN: {
        Happened.PROBE_FAILED: _OPEN,
        Happened.PROBES_SUCCEEDED: _CLOSED,
        Happened.TRIPPED: _OPEN,
        Happened.RESET: _CLOSED,
    },
}


def state_after(state: BreakerState, happened: Happened) -> BreakerState:
    """
    Return the state that follows.

    Raises:
        LookupError: That cannot happen in this state.
    """
    following = TRANSITIONS[state].get(happened)
    if following is None:
        raise LookupError(f"{happened.value}: cannot happen to a breaker that is {state.value}")
    return following
