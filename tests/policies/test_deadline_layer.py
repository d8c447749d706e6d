"""A limit of time around each call: made once, at import time too, and used again and again."""

import asyncio
import contextvars
import gc
import weakref

import pytest

from unlost._core import CancellationSwallowed, Failure, Value, cancel_reason, listen
from unlost.errors import DeadlineExceeded, attached
from unlost.policies._deadline_calls import deadline, deadline_at, timeout, timeout_at
from unlost.policies._deadline_events import DeadlineFired
from unlost.policies._deadline_queue import _queues
from unlost.policies._explain import explained

MADE_AT_IMPORT = timeout(3, "fetch timeout")


def now() -> float:
    return asyncio.get_running_loop().time()


async def takes(seconds: float, value: str = "value") -> str:
    await asyncio.sleep(seconds)
    return value


async def test_a_call_in_time_returns_its_value_and_leaves_nothing_behind() -> None:
    assert await MADE_AT_IMPORT.call(takes, 2) == "value"
    await asyncio.sleep(60)

    assert asyncio.current_task().cancelling() == 0


async def test_each_call_has_the_same_time_from_its_start() -> None:
    elapsed = []
    for _ in range(3):
        began = now()
        with pytest.raises(DeadlineExceeded) as caught:
            await MADE_AT_IMPORT.call(takes, 60)
        elapsed.append(now() - began)
        await asyncio.sleep(1)

    assert elapsed == [3, 3, 3]
    assert (caught.value.seconds, caught.value.elapsed, caught.value.name) == (3, 3, "fetch timeout")
    assert asyncio.current_task().cancelling() == 0


async def test_calls_at_the_same_time_do_not_share_their_limit() -> None:
    async def later(seconds: float) -> object:
        await asyncio.sleep(seconds)
        return await MADE_AT_IMPORT.outcome(takes, 3.5 - seconds)

    began = now()
    outcomes = await asyncio.gather(*map(later, range(4)))

    assert [type(outcome) for outcome in outcomes] == [Failure, Value, Value, Value]
    assert now() - began == 3.5


async def test_calls_that_began_earlier_fire_earlier() -> None:
    fired = []

    async def call(after: float) -> None:
        await asyncio.sleep(after)
        with pytest.raises(DeadlineExceeded):
            await MADE_AT_IMPORT.call(takes, 60)
        fired.append((after, now()))

    began = now()
    await asyncio.gather(*map(call, (0, 0.5, 0.5, 2)))

    assert [(after, at - began) for after, at in fired] == [(0, 3), (0.5, 3.5), (0.5, 3.5), (2, 5)]


async def test_many_limits_that_fire_at_once_all_fire() -> None:
    outcomes = await asyncio.gather(*(MADE_AT_IMPORT.outcome(takes, 60) for _ in range(1000)))

    assert {type(outcome.error) for outcome in outcomes} == {DeadlineExceeded}
    assert now() == 3


async def test_a_limit_that_ends_another_one_as_it_fires_does_no_harm() -> None:
    async def ends_the_other() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            other.cancel("ended")

    first = asyncio.create_task(MADE_AT_IMPORT.call(ends_the_other))
    await asyncio.sleep(0)
    other = asyncio.create_task(MADE_AT_IMPORT.call(takes, 60))

    with pytest.raises(DeadlineExceeded):
        await first
    with pytest.raises(asyncio.CancelledError) as caught:
        await other
    assert [error.name for error in attached(caught.value)] == ["fetch timeout"]


async def test_the_decorated_function_takes_what_it_took() -> None:
    @timeout(3)
    async def fetch(url: str, *, seconds: float) -> str:
        """Fetch."""
        return await takes(seconds, url)

    assert await fetch("url", seconds=2) == "url"
    assert fetch.__doc__ == "Fetch."
    with pytest.raises(DeadlineExceeded):
        await fetch("url", seconds=60)


async def test_no_limit_is_no_limit() -> None:
    assert await timeout(None).call(takes, 1e6) == "value"
    assert await timeout(float("inf")).call(takes, 1e6) == "value"


@pytest.mark.parametrize("seconds", [0, -5])
async def test_no_time_at_all_fires_at_the_first_await(seconds: float) -> None:
    with pytest.raises(DeadlineExceeded):
        await timeout(seconds).call(takes, 0)


async def test_a_time_of_the_clock_is_one_for_all_calls() -> None:
    limit = deadline_at(now() + 5, "until five")

    assert await limit.call(takes, 3) == "value"
    with pytest.raises(DeadlineExceeded) as caught:
        await limit.call(takes, 3)

    assert (caught.value.seconds, caught.value.elapsed) == (2, 2)


async def test_a_limit_made_outside_of_a_loop_counts_from_when_its_block_is_entered() -> None:
    made = await asyncio.to_thread(timeout, 3)
    assert (made.seconds, made.when()) == (3, None)
    began = now()
    await asyncio.sleep(5)

    with pytest.raises(DeadlineExceeded) as caught:
        async with made:
            assert (made.seconds, made.when()) == (3, began + 8)
            await asyncio.sleep(60)

    assert caught.value.elapsed == 3


async def test_a_value_that_comes_after_the_limit_fired_is_kept_and_told() -> None:
    async def swallows() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "salvaged"

    events = []
    with listen(events.append):
        assert await MADE_AT_IMPORT.call(swallows) == "salvaged"

    fired, swallowed = events
    assert isinstance(fired, DeadlineFired)
    assert isinstance(swallowed, CancellationSwallowed)
    assert swallowed.reason.who == "fetch timeout"
    assert asyncio.current_task().cancelling() == 0


async def test_what_cleanup_raised_is_kept() -> None:
    async def fails() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("cleanup")

    with pytest.raises(DeadlineExceeded) as caught:
        await MADE_AT_IMPORT.call(fails)

    assert [repr(error) for error in caught.value.errors] == ["OSError('cleanup')"]


async def test_a_timeout_error_of_the_functions_own_is_not_taken_for_the_limit() -> None:
    async def fails() -> None:
        raise own

    own = TimeoutError("own")
    with pytest.raises(TimeoutError) as caught:
        await MADE_AT_IMPORT.call(fails)

    assert caught.value is own


@pytest.mark.parametrize("at", [1, 3])
async def test_a_cancellation_from_outside_comes_out_with_its_count(at: float) -> None:
    async def waits_until_cancelled() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)

    task = asyncio.create_task(MADE_AT_IMPORT.call(waits_until_cancelled))
    asyncio.get_running_loop().call_at(now() + at, task.cancel, "outside")
    await asyncio.wait([task])

    assert task.cancelled()
    assert task.cancelling() == 1


async def test_the_cancellation_says_which_limit_asked_for_it() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        await deadline(30).call(MADE_AT_IMPORT.call, takes, 60)

    assert cancel_reason(caught.value.__cause__).who == "fetch timeout"


async def test_an_outer_limit_that_is_shorter_fires_and_is_named() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        await deadline(2).call(MADE_AT_IMPORT.call, takes, 60)

    assert (caught.value.name, caught.value.elapsed) == ("deadline", 2)


def test_without_a_task_it_says_what_to_write() -> None:
    async def inside() -> None:
        MADE_AT_IMPORT.call(takes, 1).send(None)

    with pytest.raises(RuntimeError, match="no running event loop"):
        inside().send(None)


@pytest.mark.parametrize("seconds", [60, 0], ids=["in time", "fired"])
def test_a_call_that_outlives_its_loop_is_collected_without_a_word(seconds: float) -> None:
    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _loop, _context: None)  # 'Task was destroyed but it is pending'
    task = loop.create_task(timeout(seconds).call(forever))
    loop.call_soon(lambda: loop.call_soon(loop.stop))
    loop.run_forever()
    loop.close()
    gone = weakref.ref(task)

    del task
    gc.collect()  # an unraisable error would be a warning, and that a failure

    assert gone() is None


def test_a_loop_that_has_ended_is_not_kept_alive() -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(timeout(1234.5).call(takes, 0))
    loop.close()

    del loop
    gc.collect()

    assert [key for key in _queues if key[1] == 1234.5] == []


async def test_the_context_of_a_call_is_not_kept_by_the_timer() -> None:
    variable: contextvars.ContextVar[object] = contextvars.ContextVar("variable")

    class Big: ...

    async def with_something_big() -> weakref.ref[Big]:
        big = Big()
        variable.set(big)
        await timeout(500).call(takes, 0)
        return weakref.ref(big)

    gone = await asyncio.create_task(with_something_big())
    await asyncio.sleep(0)
    gc.collect()

    assert gone() is None


async def test_lengths_that_differ_each_time_get_timers_of_their_own() -> None:
    fired = []
    for length in range(400):
        with pytest.raises(DeadlineExceeded) as caught:
            await timeout(1000 - length / 10).call(takes, 1e6)
        fired.append(caught.value.elapsed)
    assert fired == pytest.approx([1000 - length / 10 for length in range(400)])

    limits = [asyncio.create_task(timeout(5000 + length).call(takes, 1e6)) for length in range(400)]
    await asyncio.sleep(1)
    queues = len(_queues)
    await asyncio.wait(limits)

    assert queues <= 256
    assert [limit.exception().seconds for limit in limits] == [5000 + length for length in range(400)]


async def test_a_block_entered_later_than_it_was_made_fires_at_its_time_beside_others() -> None:
    early = timeout(10)
    await asyncio.sleep(4)
    running = asyncio.create_task(timeout(10).call(takes, 60))
    await asyncio.sleep(1)

    with pytest.raises(DeadlineExceeded):
        async with early:
            await asyncio.sleep(60)
    assert now() == 10
    with pytest.raises(DeadlineExceeded):
        await running
    assert now() == 14


async def fails_after(seconds: float) -> None:
    await asyncio.sleep(seconds)
    raise OSError


@pytest.mark.parametrize("body", [takes, fails_after])
async def test_a_call_leaves_no_cycle(body) -> None:
    tasks = {asyncio.create_task(MADE_AT_IMPORT.call(body, 60)), asyncio.create_task(MADE_AT_IMPORT.call(body, 1))}
    gone = [weakref.ref(task) for task in tasks]

    gc.collect()
    gc.disable()
    try:
        await asyncio.wait(tasks)
        assert [task.cancelled() or task.exception() is None for task in tasks].count(True) <= 1
        tasks.clear()
        await asyncio.sleep(0)

        assert [mark() for mark in gone] == [None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("limit", "alone", "each"),
    [
        (deadline(30), "within 30 s in all", "give each try 30 s"),
        (timeout(0.5), "within 0.5 s in all", "give each try 0.5 s"),
        (timeout(None), "without a limit of time", "without a limit of time"),
        (timeout_at(8), "until 8 of the loop's clock", "until 8 of the loop's clock"),
    ],
)
def test_it_says_what_it_does(limit, alone: str, each: str) -> None:
    assert (limit.phrase(), limit.phrase_each()) == (alone, each)


@pytest.mark.parametrize(("limit", "seconds"), [(deadline(30), 30), (timeout(-1), 0), (timeout(None), float("inf"))])
def test_it_bounds_what_a_call_costs(limit, seconds: float) -> None:
    assert (explained([limit]).seconds, explained([limit]).calls) == (seconds, 1)
