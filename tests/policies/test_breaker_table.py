"""The table of a breaker's states, walked completely; and the breaker follows it."""

import asyncio
from itertools import product

import pytest

from unlost._core import listen
from unlost.errors import BreakerOpen, TransientError
from unlost.policies._breaker import Breaker
from unlost.policies._breaker_events import BreakerClosed, BreakerHalfOpen, BreakerOpened
from unlost.policies._breaker_table import TRANSITIONS, BreakerState, Happened, state_after

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
EXPECTED = {
    (CLOSED, Happened.TOO_MANY_FAILED): OPEN,
    (CLOSED, Happened.TRIPPED): OPEN,
    (CLOSED, Happened.RESET): CLOSED,
    (OPEN, Happened.TIME_WAS_UP): HALF_OPEN,
    (OPEN, Happened.TRIPPED): OPEN,
    (OPEN, Happened.RESET): CLOSED,
    (HALF_OPEN, Happened.PROBE_FAILED): OPEN,
    (HALF_OPEN, Happened.PROBES_SUCCEEDED): CLOSED,
    (HALF_OPEN, Happened.TRIPPED): OPEN,
    (HALF_OPEN, Happened.RESET): CLOSED,
}


async def value() -> str:
    return "value"


async def failure() -> str:
    raise TransientError("down")


async def too_many_fail(breaker: Breaker) -> None:
    for _ in range(2):
        with pytest.raises((TransientError, BreakerOpen)):
            await breaker.call(failure)


async def time_is_up(breaker: Breaker) -> None:
    await asyncio.sleep(30)
    with pytest.raises(asyncio.CancelledError):
        await breaker.call(cancelled)


async def cancelled() -> None:
    raise asyncio.CancelledError


async def trip(breaker: Breaker) -> None:
    breaker.trip("by hand", 30)


async def reset(breaker: Breaker) -> None:
    breaker.reset()


async def probe_fails(breaker: Breaker) -> None:
    with pytest.raises(TransientError):
        await breaker.call(failure)


async def probe_succeeds(breaker: Breaker) -> None:
    await breaker.call(value)


DO = {
    Happened.TOO_MANY_FAILED: too_many_fail,
    Happened.TIME_WAS_UP: time_is_up,
    Happened.PROBE_FAILED: probe_fails,
    Happened.PROBES_SUCCEEDED: probe_succeeds,
    Happened.TRIPPED: trip,
    Happened.RESET: reset,
}
REACH = {CLOSED: (), OPEN: (too_many_fail,), HALF_OPEN: (too_many_fail, time_is_up)}
TOLD = {CLOSED: BreakerClosed, OPEN: BreakerOpened, HALF_OPEN: BreakerHalfOpen}


@pytest.mark.parametrize(("state", "happened"), list(product(BreakerState, Happened)))
def test_every_cell_of_the_table(state: BreakerState, happened: Happened) -> None:
    if (state, happened) in EXPECTED:
        assert state_after(state, happened) is EXPECTED[state, happened]
    else:
        with pytest.raises(LookupError, match=state.value):
            state_after(state, happened)


def test_every_state_has_a_row() -> None:
    assert set(TRANSITIONS) == set(BreakerState)


@pytest.mark.parametrize(("state", "happened"), list(EXPECTED))
async def test_the_breaker_goes_where_the_table_says_and_tells_it(state: BreakerState, happened: Happened) -> None:
    breaker = Breaker(minimum=2)
    for step in REACH[state]:
        await step(breaker)
    assert breaker._circuit._state is state
    told: list[object] = []

    with listen(told.append):
        await DO[happened](breaker)

    expected = EXPECTED[state, happened]
    assert breaker.state is breaker._circuit._state is expected
    assert [type(event) for event in told] == ([] if state is expected is CLOSED else [TOLD[expected]])
