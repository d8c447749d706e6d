"""A breaker: what it counts, whom it turns away and what it tells them."""

import asyncio
import contextlib
import copy
import gc
import math
import pickle
import weakref

import pytest

from unlost._core import Failure, Value, constant, listen
from unlost.errors import (
    BreakerOpen,
    DeadlineExceeded,
    Kind,
    PermanentError,
    TransientError,
    UsageError,
    attached,
    classify,
    retry_after,
)
from unlost.policies import Retry
from unlost.policies._breaker import Breaker
from unlost.policies._breaker_events import BreakerClosed, BreakerHalfOpen, BreakerOpened, CallRejected
from unlost.policies._breaker_table import BreakerState
from unlost.policies._layer import Cost

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


async def end(step):
    """Raise an exception, return anything else."""
    if isinstance(step, BaseException):
        raise step
    return step


async def last(seconds, step="value"):
    await asyncio.sleep(seconds)
    return await end(step)


async def goes(breaker, *steps) -> None:
    """Make one call for each step, whatever comes out."""
    for step in steps:
        await breaker.outcome(end, step)


def failures(count):
    return [TransientError(number) for number in range(count)]


async def rejection_of(breaker) -> BreakerOpen:
    with pytest.raises(BreakerOpen) as caught:
        await breaker.call(end, "never")
    return caught.value


async def test_a_value_goes_through() -> None:
    assert await Breaker().call(end, "value") == "value"


async def test_an_error_goes_through_as_it_is() -> None:
    error = TransientError()

    with pytest.raises(TransientError) as caught:
        await Breaker().call(end, error)

    assert caught.value is error
    assert (error.__context__, error.__cause__) == (None, None)


async def test_it_opens_once_half_of_the_last_calls_failed() -> None:
    breaker = Breaker(last=4, minimum=4)
    await goes(breaker, 1, 2, 3, 4, TransientError())
    before = breaker.state

    await goes(breaker, TransientError())

    assert (before, breaker.state) == (CLOSED, OPEN)


async def test_it_does_not_open_before_the_minimum_of_calls() -> None:
    breaker = Breaker(last=20, minimum=5)
    await goes(breaker, *failures(4))
    before = breaker.state

    await goes(breaker, TransientError())

    assert (before, breaker.state) == (CLOSED, OPEN)


async def test_failures_that_left_the_window_do_not_count() -> None:
    breaker = Breaker(last=4, minimum=4)

    for _ in range(20):
        await goes(breaker, TransientError(), 1, 2, 3, 4)

    assert breaker.state is CLOSED
    assert breaker.statistics().failed == 0


async def test_who_is_turned_away_is_told_by_what() -> None:
    errors = failures(5)
    breaker = Breaker(minimum=5, name="prices")
    await goes(breaker, *errors)
    await asyncio.sleep(10)

    rejection = await rejection_of(breaker)

    assert rejection.__cause__ is errors[-1]
    assert rejection.errors == tuple(errors[-3:])
    assert (rejection.name, rejection.retry_after) == ("prices", pytest.approx(20))
    assert rejection.why == "5 of the last 5 calls failed, the last with TransientError: 4"
    assert str(rejection) == f"breaker 'prices' is open for 20 s more: {rejection.why}"


async def test_func_is_not_called_while_it_is_open() -> None:
    breaker, calls = Breaker(), []
    breaker.trip("maintenance")

    with pytest.raises(BreakerOpen):
        await breaker.call(calls.append, 1)

    assert calls == []


@pytest.mark.parametrize(
    "error",
    [
        PermanentError(),
        ValueError(),
        TypeError("a defect"),
        asyncio.CancelledError(),
        BreakerOpen("inner", "why", 0.0, 1.0),
        ExceptionGroup("", [TransientError(), PermanentError()]),
    ],
    ids=repr,
)
async def test_what_is_not_the_services_fault_does_not_open_it(error) -> None:
    breaker = Breaker(minimum=1)

    await goes(breaker, *[error] * 50)

    assert breaker.state is CLOSED
    assert breaker.statistics().failed == 0


@pytest.mark.parametrize(
    "error", [TransientError(), TimeoutError(), ConnectionError(), DeadlineExceeded(1, 1), OSError(5, "EIO")], ids=repr
)
async def test_what_counts_by_default_is_what_may_pass(error) -> None:
    breaker = Breaker(minimum=1)

    await goes(breaker, error)

    assert breaker.state is (OPEN if classify(error) is Kind.TRANSIENT else CLOSED)


async def test_an_answer_counts_as_a_call_and_what_says_nothing_does_not() -> None:
    breaker = Breaker()

    inner = BreakerOpen("inner", "why", 0.0, 1.0)
    await goes(breaker, PermanentError(), TypeError(), asyncio.CancelledError(), inner, 1)

    assert breaker.statistics().calls == 2


@pytest.mark.parametrize("on", [PermanentError, (KeyError, PermanentError), Kind.PERMANENT, lambda error: True])
async def test_on_says_what_counts(on) -> None:
    breaker = Breaker(minimum=1, on=on)

    await goes(breaker, PermanentError())

    assert breaker.state is OPEN


async def test_no_cancellation_counts_whatever_on_says() -> None:
    breaker = Breaker(minimum=1, on=lambda error: True)

    await goes(breaker, asyncio.CancelledError())
    with pytest.raises(SystemExit):
        await breaker.call(end, SystemExit(1))

    assert breaker.state is CLOSED


async def test_where_on_itself_raises_the_calls_own_error_comes_out_with_it() -> None:
    breaker, error = Breaker(minimum=1, on=lambda error: 1 // 0 > 0), TransientError()

    with pytest.raises(TransientError) as caught:
        await breaker.call(end, error)

    assert caught.value is error
    assert [type(other) for other in attached(error)] == [ZeroDivisionError]
    assert breaker.state is CLOSED


async def test_slow_calls_open_it_too() -> None:
    breaker = Breaker(minimum=4, slow=2.0, slow_rate=0.5)
    for seconds in (1.9, 1.9, 2.0):
        await breaker.call(last, seconds)
    before = breaker.state

    await breaker.call(last, 2.0)
    rejection = await rejection_of(breaker)

    assert (before, breaker.state) == (CLOSED, OPEN)
    assert rejection.why == "2 of the last 4 calls took 2 s or longer"
    assert rejection.__cause__ is None


async def test_a_slow_probe_opens_it_again() -> None:
    breaker = Breaker(slow=2.0)
    breaker.trip("by hand", 10)
    await asyncio.sleep(10)

    await breaker.call(last, 2.0)

    assert breaker.state is OPEN


async def test_a_time_window_forgets_what_is_older() -> None:
    breaker = Breaker(within=10.0, minimum=4)
    await goes(breaker, *failures(3))
    await asyncio.sleep(11)
    await goes(breaker, *failures(3))
    before = breaker.state

    await goes(breaker, TransientError("one more"))

    assert (before, breaker.state) == (CLOSED, OPEN)
    assert (await rejection_of(breaker)).why.startswith("4 of 4 calls in the last 10 s failed, the last with")


async def test_after_its_time_one_probe_goes_through_and_closes_it() -> None:
    breaker = Breaker(open_for=30)
    await goes(breaker, *failures(10))
    await asyncio.sleep(29.9)
    await rejection_of(breaker)
    await asyncio.sleep(0.1)

    states = [breaker.state]
    await breaker.call(end, "value")
    states.append(breaker.state)

    assert states == [HALF_OPEN, CLOSED]


async def test_while_a_probe_is_under_way_the_others_are_turned_away() -> None:
    breaker = Breaker(probes=2, minimum=1)
    await goes(breaker, TransientError())
    await asyncio.sleep(30)
    probes = [asyncio.create_task(breaker.call(last, 1)) for _ in range(2)]
    await asyncio.sleep(0)

    rejection = await rejection_of(breaker)

    assert rejection.retry_after == 1  # not 0: to ask at once, again and again, is no use
    assert "its probes are under way" in str(rejection)
    assert breaker.statistics().probes == 2
    assert await asyncio.gather(*probes) == ["value", "value"]


async def test_it_closes_after_as_many_probes_as_it_was_told() -> None:
    breaker = Breaker(successes=3, minimum=1)
    breaker.trip("by hand", 1)
    await asyncio.sleep(1)

    states = []
    for number in range(3):
        await breaker.call(end, number)
        states.append(breaker.state)

    assert states == [HALF_OPEN, HALF_OPEN, CLOSED]


async def test_an_answer_of_a_probe_closes_it_and_a_defect_leaves_it_as_it_is() -> None:
    breaker = Breaker()
    breaker.trip("by hand", 1)
    await asyncio.sleep(1)
    await goes(breaker, TypeError())
    before = breaker.state

    await goes(breaker, PermanentError("404"))

    assert (before, breaker.state) == (HALF_OPEN, CLOSED)


async def test_each_opening_in_a_row_is_twice_as_long_up_to_the_cap() -> None:
    breaker, seconds = Breaker(minimum=1, open_for=10, open_cap=35), []
    with listen(lambda event: seconds.append(event.seconds) if isinstance(event, BreakerOpened) else None):
        for _ in range(4):
            await goes(breaker, TransientError())
            await asyncio.sleep((await rejection_of(breaker)).retry_after)
        await goes(breaker, 1, TransientError())

    assert seconds == [10, 20, 35, 35, 10]


async def test_it_stays_open_for_as_long_as_the_server_asks() -> None:
    error = TransientError()
    error.headers = {"Retry-After": "120"}
    breaker = Breaker(minimum=1, open_for=30)

    await goes(breaker, error)

    assert (await rejection_of(breaker)).retry_after == pytest.approx(120)


async def test_a_server_that_asks_for_too_much_gets_the_cap() -> None:
    error = TransientError()
    error.headers = {"Retry-After": "1e9", "retry-after-ms": "99999999999"}
    breaker = Breaker(minimum=1, open_for=30, open_cap=60)

    await goes(breaker, error)

    assert (await rejection_of(breaker)).retry_after == pytest.approx(60)


@pytest.mark.parametrize("step", ["value", TransientError()])
async def test_a_call_that_began_before_it_opened_counts_for_nothing_afterwards(step) -> None:
    breaker = Breaker(minimum=1)
    late = asyncio.create_task(breaker.outcome(last, 40, step))
    await asyncio.sleep(0)
    await goes(breaker, TransientError())
    await asyncio.sleep(30)
    probe = asyncio.create_task(breaker.call(last, 20))

    outcome = await late
    state = breaker.state
    await probe

    assert (state, breaker.state) == (HALF_OPEN, CLOSED)
    assert step in (getattr(outcome, "value", None), getattr(outcome, "error", None))
    assert breaker.statistics().calls == 0


@pytest.mark.parametrize("step", ["value", TransientError()])
async def test_a_probe_of_an_earlier_time_counts_for_nothing(step) -> None:
    breaker = Breaker(minimum=1, probes=2)
    breaker.trip("by hand", 10)
    await asyncio.sleep(10)
    late = asyncio.create_task(breaker.outcome(last, 15, step))
    await asyncio.sleep(0)
    breaker.trip("by hand", 10)
    await asyncio.sleep(10)
    probe = asyncio.create_task(breaker.call(last, 10))
    await asyncio.sleep(0)

    outcome = await late

    assert step in (getattr(outcome, "value", None), getattr(outcome, "error", None))
    assert breaker.state is HALF_OPEN
    assert breaker.statistics().probes == 1
    await probe


async def test_probes_that_are_lost_when_it_opens_again_are_gone_at_once() -> None:
    breaker = Breaker(probes=2)
    breaker.trip("by hand", 10)
    await asyncio.sleep(10)
    lost = breaker.call(last, 1)
    lost.send(None)
    probation = weakref.ref(breaker._circuit._probation)
    gc.disable()
    try:
        breaker.trip("again")
        lost.close()
        del lost

        assert probation() is None
    finally:
        gc.enable()


async def test_trip_opens_it_until_reset() -> None:
    breaker = Breaker(name="prices")
    breaker.trip("maintenance")
    await asyncio.sleep(1e6)

    rejection = await rejection_of(breaker)
    breaker.reset()

    assert rejection.retry_after == math.inf
    assert retry_after(rejection) is None
    assert str(rejection) == "breaker 'prices' is open until it is reset: maintenance"
    assert await breaker.call(end, "value") == "value"


async def test_trip_with_an_exception_makes_it_the_cause() -> None:
    breaker, error = Breaker(), ConnectionError("seen elsewhere")

    breaker.trip(error, 5)

    rejection = await rejection_of(breaker)
    assert rejection.__cause__ is error
    assert rejection.errors == (error,)


async def test_reset_forgets_what_was_counted() -> None:
    breaker = Breaker(minimum=3)
    await goes(breaker, *failures(2))

    breaker.reset()
    await goes(breaker, *failures(2))

    assert breaker.state is CLOSED


async def test_events_say_what_happens_and_why() -> None:
    breaker, told, error = Breaker(minimum=1, name="prices"), [], TransientError("down")
    with listen(told.append):
        await goes(breaker, error, "turned away")
        await asyncio.sleep(30)
        await goes(breaker, "probe")

    why = "1 of the last 1 calls failed, the last with TransientError: down"
    assert told == [
        BreakerOpened("prices", why, 30.0, error),
        CallRejected("prices", why),
        BreakerHalfOpen("prices", "30 s are over"),
        BreakerClosed("prices", "a probe succeeded"),
    ]


async def test_a_listener_may_use_the_breaker() -> None:
    breaker = Breaker(minimum=1)
    with listen(lambda event: breaker.reset()):
        await goes(breaker, TransientError())

    assert breaker.state is CLOSED


async def test_a_retry_around_it_gives_up_at_once_when_it_opens() -> None:
    breaker, starts = Breaker(minimum=2), []

    async def down():
        starts.append(1)
        raise TransientError("down")

    with pytest.raises(BreakerOpen) as caught:
        await Retry(10, backoff=constant(1)).call(breaker.call, down)

    assert len(starts) == 2
    assert classify(caught.value) is Kind.PERMANENT
    assert classify(RuntimeError()) is classify(caught.value)


async def test_a_retry_that_wants_to_wait_waits_until_it_is_half_open() -> None:
    breaker = Breaker()
    breaker.trip("by hand", 42)
    began = asyncio.get_running_loop().time()

    value = await Retry(2, on=BreakerOpen, backoff=constant(0)).call(breaker.call, end, "value")

    assert value == "value"
    assert asyncio.get_running_loop().time() - began == pytest.approx(42)


async def test_an_outcome_of_a_rejected_call_is_a_failure_and_of_a_value_a_value() -> None:
    breaker = Breaker()
    value = await breaker.outcome(end, "value")
    breaker.trip("by hand")

    failure = await breaker.outcome(end, "value")

    assert isinstance(value, Value)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, BreakerOpen)


@pytest.mark.parametrize("clone", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
async def test_a_rejection_survives_pickling_and_copying(clone) -> None:
    breaker = Breaker(minimum=1)
    await goes(breaker, ConnectionError("down"))
    rejection = await rejection_of(breaker)

    cloned = clone(rejection)

    assert (cloned.name, cloned.why, cloned.since) == (rejection.name, rejection.why, rejection.since)
    assert (str(cloned), cloned.retry_after) == (str(rejection), rejection.retry_after)
    assert [repr(error) for error in cloned.errors] == ["ConnectionError('down')"]


async def test_a_thousand_rejections_leave_no_mark_on_their_cause() -> None:
    breaker, error = Breaker(minimum=1), TransientError()
    await goes(breaker, error)
    traceback, attributes = error.__traceback__, dict(error.__dict__)

    for _ in range(1000):
        await rejection_of(breaker)

    assert error.__traceback__ is traceback
    assert error.__dict__ == attributes
    assert error.__context__ is None
    assert breaker.statistics().rejected == 1000


class Local:
    """Something in a frame of a call that fails."""


async def fails_with(local):
    raise TransientError


async def test_once_it_is_closed_nothing_of_what_opened_it_is_kept() -> None:
    gc.disable()
    try:
        breaker, local = Breaker(minimum=1), Local()
        gone = weakref.ref(local)
        await breaker.outcome(fails_with, local)
        del local
        await breaker.outcome(end, "turned away")
        held = gone() is not None
        await asyncio.sleep(30)
        await breaker.call(end, "value")

        assert held
        assert gone() is None
    finally:
        gc.enable()


async def test_an_error_that_left_the_window_is_let_go_by_the_call_that_pushed_it_out() -> None:
    gc.disable()
    try:
        breaker, local = Breaker(last=3), Local()
        gone = weakref.ref(local)
        await breaker.outcome(fails_with, local)
        del local
        await goes(breaker, 1, 2)
        held = gone() is not None

        await goes(breaker, 3)

        assert held
        assert gone() is None
    finally:
        gc.enable()


async def caught(calls, step) -> None:
    """Make the one call in ``calls`` from a frame that does not refer to the breaker."""
    with contextlib.suppress(TransientError, BreakerOpen):
        await calls.pop()(end, step)


async def test_an_open_breaker_that_is_dropped_is_gone_at_once_where_no_caller_refers_to_it() -> None:
    gc.disable()
    try:
        breaker = Breaker(minimum=1)
        gone = weakref.ref(breaker)
        await caught([breaker.call], TransientError())
        await caught([breaker.call], "turned away")
        state = breaker.state
        del breaker

        assert state is OPEN
        assert gone() is None
    finally:
        gc.enable()


async def test_a_key_has_a_breaker_of_its_own() -> None:
    breaker = Breaker(minimum=1, name="prices")
    await goes(breaker["a"], TransientError())

    rejection = await rejection_of(breaker["a"])

    assert rejection.name == "prices['a']"
    assert (breaker.state, breaker["b"].state) == (CLOSED, CLOSED)


async def test_of_many_keys_the_open_ones_stay() -> None:
    breaker = Breaker(minimum=1, max_keys=5)
    await goes(breaker["open"], TransientError())

    for number in range(100):
        await goes(breaker[number], number)

    assert breaker["open"].state is OPEN
    assert len(breaker._keyed) == 5


async def test_a_breaker_with_keys_that_is_dropped_is_gone_at_once() -> None:
    breaker = Breaker()
    breaker["a"]
    gone = weakref.ref(breaker)
    gc.disable()
    try:
        del breaker

        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("breaker", "phrase"),
    [
        (Breaker(), "stop calling for 30 s once half of the last 20 calls failed"),
        (
            Breaker(0.3, within=60, slow=2, open_for=5),
            "stop calling for 5 s once 30 % of the calls in the last 60 s failed or all took 2 s or longer",
        ),
    ],
)
def test_it_can_be_read_aloud(breaker, phrase) -> None:
    assert breaker.phrase() == phrase


def test_it_adds_nothing_to_what_a_call_costs() -> None:
    assert Breaker().cost(Cost(3.0, 5)) == Cost(3.0, 5)


async def test_its_repr_says_how_it_stands() -> None:
    breaker = Breaker(minimum=3, name="prices")
    await goes(breaker, 1, TransientError())
    closed = repr(breaker)

    breaker.trip("maintenance")

    assert closed == "<Breaker 'prices' closed, 1 of the last 2 calls failed>"
    assert repr(breaker) == "<Breaker 'prices' open: maintenance>"


@pytest.mark.parametrize(
    "options",
    [
        {"rate": 0},
        {"rate": 1.1},
        {"rate": True},
        {"last": 0},
        {"within": 0},
        {"minimum": 0},
        {"minimum": 21},
        {"slow": -1},
        {"slow_rate": 2},
        {"open_for": 0},
        {"open_cap": math.inf},
        {"probes": 0},
        {"successes": 0.5},
        {"on": "transient"},
        {"max_keys": 0},
    ],
    ids=repr,
)
def test_what_cannot_work_is_refused(options) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        Breaker(**options)


def test_trip_refuses_seconds_that_are_none() -> None:
    with pytest.raises(UsageError, match="seconds"):
        Breaker().trip("by hand", -1)
