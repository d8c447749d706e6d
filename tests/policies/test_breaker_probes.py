"""The places of a half-open breaker: in whichever way a probe ends, its place comes back."""

import asyncio
import gc
import threading

import pytest

from unlost._core import listen
from unlost.errors import BreakerOpen, TransientError
from unlost.policies._breaker import Breaker
from unlost.policies._breaker_table import BreakerState


async def turns(count):
    for _ in range(count):
        await asyncio.sleep(0)
    return "value"


async def for_ever():
    await asyncio.get_running_loop().create_future()


async def half_open(breaker: Breaker, seconds: float = 10) -> Breaker:
    breaker.trip("by hand", seconds)
    await asyncio.sleep(seconds)
    assert breaker.state is BreakerState.HALF_OPEN
    return breaker


@pytest.mark.parametrize("after", range(8))
async def test_a_probe_that_is_cancelled_at_any_await_gives_its_place_back(after) -> None:
    breaker = await half_open(Breaker())
    probe = asyncio.create_task(breaker.call(turns, 5))
    await turns(after)

    was_cancelled = probe.cancel()
    await asyncio.wait([probe])

    assert breaker.statistics().probes == 0
    assert probe.cancelled() is was_cancelled
    assert breaker.state is (BreakerState.HALF_OPEN if was_cancelled else BreakerState.CLOSED)
    assert await breaker.call(turns, 0) == "value"


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, TypeError])
async def test_a_probe_that_says_nothing_gives_its_place_back(end) -> None:
    breaker = await half_open(Breaker())

    async def raises():
        raise end

    with pytest.raises(end):
        await breaker.call(raises)

    assert breaker.statistics().probes == 0
    assert breaker.state is BreakerState.HALF_OPEN


async def test_a_probe_whose_listener_is_interrupted_gives_its_place_back() -> None:
    breaker = await half_open(Breaker())

    def interrupted(event):
        raise KeyboardInterrupt

    with listen(interrupted), pytest.raises(KeyboardInterrupt):
        await breaker.call(turns, 0)

    assert breaker.statistics().probes == 0


async def test_a_call_that_is_never_awaited_takes_no_place() -> None:
    breaker = await half_open(Breaker())

    breaker.call(turns, 0).close()

    assert breaker.statistics().probes == 0


async def test_a_probe_that_the_garbage_collector_ends_gives_its_place_back() -> None:
    breaker = await half_open(Breaker())
    probe = breaker.call(for_ever)
    probe.send(None)
    assert breaker.statistics().probes == 1

    del probe
    gc.collect()

    assert breaker.statistics().probes == 0


async def test_a_probe_that_runs_for_longer_than_it_was_open_loses_its_place_and_counts_all_the_same() -> None:
    breaker = await half_open(Breaker(successes=2), seconds=10)
    slow = asyncio.create_task(breaker.call(asyncio.sleep, 12, "slow"))
    await asyncio.sleep(9.9)
    with pytest.raises(BreakerOpen):
        await breaker.call(turns, 0)
    await asyncio.sleep(0.1)

    await breaker.call(turns, 0)
    before = breaker.state
    await slow

    assert (before, breaker.state) == (BreakerState.HALF_OPEN, BreakerState.CLOSED)


def test_a_probe_of_a_loop_that_was_closed_gives_its_place_back(virtual_loop) -> None:
    breaker = Breaker()
    lost = []

    async def leave_a_probe() -> None:
        await half_open(breaker, 3600)
        lost.append(breaker.call(for_ever))
        lost[0].send(None)
        with pytest.raises(BreakerOpen):
            await breaker.call(turns, 0)

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(leave_a_probe())
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        value = runner.run(breaker.call(turns, 0))

    assert value == "value"
    lost[0].close()


def test_on_another_loop_it_stays_as_it_was(virtual_loop) -> None:
    breaker = Breaker(minimum=1)

    async def opens() -> None:
        await asyncio.sleep(1000)
        with pytest.raises(TransientError):
            await breaker.call(fails)

    async def meets() -> float:
        with pytest.raises(BreakerOpen) as caught:
            await breaker.call(turns, 0)
        seconds = caught.value.retry_after
        await asyncio.sleep(seconds)
        await breaker.call(turns, 0)
        return seconds

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(opens())
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        left = runner.run(meets())

    # what has really passed between the two counts
    assert 20 < left <= 30
    assert breaker.state is BreakerState.CLOSED


async def fails() -> None:
    raise TransientError


@pytest.mark.stock
def test_threads_with_loops_of_their_own_share_its_probes(virtual_loop) -> None:
    breaker = Breaker(probes=3, successes=10**9)
    most, lock, barrier = [0], threading.Lock(), threading.Barrier(4)
    running = [0]

    async def probe(number: int) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        await asyncio.sleep(0)
        with lock:
            running[0] -= 1
        if number % 5 == 0:
            raise asyncio.CancelledError
        if number % 7 == 0:
            raise TypeError

    async def many() -> None:
        barrier.wait(5)
        for number in range(300):
            await breaker.outcome(probe, number)

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(half_open(breaker, 3600))
    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert 1 <= most[0] <= 3
    assert breaker.statistics().probes == 0
