"""At most so many starts in a given time, first come first served, with one timer."""

import asyncio
import contextlib
import gc
import pickle
import time
import weakref
from itertools import count, pairwise

import pytest

from unlost._core import Event, listen
from unlost.errors import Kind, RateExceeded, UsageError, classify, retry_after
from unlost.policies._bucket import Bucket
from unlost.policies._layer import Cost
from unlost.policies._limit_events import LimitRejected, LimitWaited
from unlost.policies._rate import RateLimit

# uvloop's timers know milliseconds
EXACT = 0.002


class Starts:
    """Knows when each call started, in order."""

    def __init__(self) -> None:
        self.of: list[tuple[object, float]] = []

    async def __call__(self, who: object = None) -> object:
        self.of.append((who, asyncio.get_running_loop().time()))
        return who

    @property
    def times(self) -> list[float]:
        return [time for _, time in self.of]

    @property
    def order(self) -> list[object]:
        return [who for who, _ in self.of]


async def started(*coroutines):
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    await asyncio.sleep(0)
    return tasks


def assert_unused(limit: RateLimit) -> None:
    assert limit.waiting == 0
    assert limit._timer is None
    assert limit._queued == 0


def left(limit: RateLimit) -> float:
    """Count the tokens that can be taken now, by taking them."""
    taken = 0
    while limit.try_acquire():
        taken += 1
    return taken


async def test_calls_start_at_an_even_pace_in_the_order_they_came():
    limit, starts = RateLimit(10), Starts()

    await asyncio.gather(*(limit.call(starts, number) for number in range(5)))

    assert starts.order == list(range(5))
    assert starts.times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=EXACT)
    assert_unused(limit)


async def test_a_burst_starts_at_once_and_is_saved_up_again():
    limit, starts = RateLimit(1, burst=3), Starts()

    await asyncio.gather(*(limit.call(starts) for _ in range(4)))
    await asyncio.sleep(100)
    await asyncio.gather(*(limit.call(starts) for _ in range(4)))

    assert starts.times == pytest.approx([0, 0, 0, 1, 101, 101, 101, 102], abs=EXACT)


async def test_a_thousand_callers_start_when_their_turn_is_to_the_last_and_with_one_timer():
    limit, starts = RateLimit(100, per=60, burst=10), Starts()
    loop = asyncio.get_running_loop()
    timers = []
    call_at = loop.call_at
    loop.call_at = lambda when, *args, **options: timers.append(when) or call_at(when, *args, **options)

    await asyncio.gather(*(limit.call(starts, number) for number in range(1000)))

    assert starts.order == list(range(1000))
    assert starts.times == pytest.approx([max(0, number - 9) * 0.6 for number in range(1000)], abs=EXACT)
    assert len(timers) == 990
    assert all(earlier < later for earlier, later in pairwise(timers))
    assert_unused(limit)


async def test_timers_that_are_late_do_not_slow_the_pace():
    limit, starts = RateLimit(10), Starts()
    loop = asyncio.get_running_loop()
    call_at = loop.call_at
    loop.call_at = lambda when, callback: call_at(when + 0.05, callback)

    await asyncio.gather(*(limit.call(starts) for _ in range(5)))

    assert starts.times == pytest.approx([0, 0.15, 0.25, 0.35, 0.45], abs=EXACT)


async def test_a_timer_that_goes_off_early_is_not_set_again():
    limit, starts, timers = RateLimit(10), Starts(), []
    loop = asyncio.get_running_loop()
    call_at = loop.call_at
    loop.call_at = lambda when, callback: timers.append(when) or call_at(when - 0.01, callback)

    await asyncio.gather(*(limit.call(starts) for _ in range(5)))

    assert timers == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=EXACT)


class Observed(Bucket):
    """Knows when its tokens were taken: the calls themselves may start later, together, on a loop that is busy."""

    def __init__(self, *figures: float) -> None:
        super().__init__(*figures)
        self.times: list[float] = []

    def take(self, tokens: float, now: float, late: float = 0.0) -> bool:
        is_taken = super().take(tokens, now, late)
        if is_taken:
            self.times.append(now)
        return is_taken


@pytest.mark.stock
async def test_in_real_time_no_stretch_sees_more_than_its_share_after_a_standstill_either():
    limit, starts = RateLimit(400, burst=5), Starts()
    limit._bucket = bucket = Observed(400, 1, 5)
    asyncio.get_running_loop().call_later(0.03, time.sleep, 0.05)

    await asyncio.gather(*(limit.call(starts) for _ in range(60)))

    assert len(bucket.times) == 60
    for first in range(60):
        for last in range(first, 60):
            # one more, for a loop that is late
            share = 5 + 1 + 400 * (bucket.times[last] - bucket.times[first])
            assert last - first + 1 <= share + 1e-6


async def test_many_tokens_at_once_are_waited_for_and_nobody_who_wants_few_passes():
    limit, starts = RateLimit(1, burst=10), Starts()

    async def take(tokens: float) -> None:
        await limit.acquire(tokens)
        await starts(tokens)

    await asyncio.gather(*(take(tokens) for tokens in (8, 10, 0.5, 2)))

    assert starts.order == [8, 10, 0.5, 2]
    assert starts.times == pytest.approx([0, 8, 8.5, 10.5], abs=EXACT)
    assert_unused(limit)


async def test_a_call_does_not_pass_one_that_waits_for_many():
    limit, starts = RateLimit(1, burst=2), Starts()
    await limit.acquire()
    (many,) = await started(limit.acquire(2))

    await limit.call(starts)  # there is a token, but it is spoken for

    assert many.done()
    assert starts.times == pytest.approx([2], abs=EXACT)


async def test_the_block_form_takes_one_token_and_keeps_it():
    limit = RateLimit(1, burst=2)

    async with limit as entered:
        assert entered is limit

    assert left(limit) == 1


async def test_a_call_that_fails_has_spent_its_token_and_its_error_comes_out_itself():
    limit, error = RateLimit(1, burst=2), ValueError("mine")

    async def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="mine") as raised:
        await limit.call(fail)

    assert raised.value is error
    assert left(limit) == 1


async def test_try_acquire_takes_what_is_there_and_never_passes_those_who_wait():
    limit = RateLimit(1, burst=2)
    assert [limit.try_acquire(), limit.try_acquire(1.5), limit.try_acquire()] == [True, False, True]
    (task,) = await started(limit.acquire(2))

    await asyncio.sleep(1)

    assert limit.try_acquire() is False
    await task
    assert_unused(limit)


async def test_what_is_given_back_goes_to_who_waits():
    limit = RateLimit(1, burst=10)
    await limit.acquire(10)
    (task,) = await started(limit.acquire(4))

    limit.give_back(4)
    await task

    assert asyncio.get_running_loop().time() == pytest.approx(0, abs=EXACT)
    assert_unused(limit)


async def test_what_is_given_back_in_part_shortens_the_wait():
    limit = RateLimit(1, burst=10)
    await limit.acquire(10)
    (task,) = await started(limit.acquire(4))

    limit.give_back(3)
    await task

    assert asyncio.get_running_loop().time() == pytest.approx(1, abs=EXACT)


async def test_a_cancelled_waiter_takes_nothing_and_those_behind_it_move_up():
    limit, starts = RateLimit(1), Starts()
    tasks = await started(*(limit.call(starts, number) for number in range(4)))

    tasks[1].cancel()
    await asyncio.wait(tasks)

    assert starts.order == [0, 2, 3]
    assert starts.times == pytest.approx([0, 1, 2], abs=EXACT)
    assert_unused(limit)


async def test_who_stands_behind_one_that_wanted_much_is_due_earlier_once_that_one_is_gone():
    limit = RateLimit(1, burst=100)
    await limit.acquire(100)
    much, little = await started(limit.acquire(100), limit.acquire(1))

    much.cancel()
    await little

    assert asyncio.get_running_loop().time() == pytest.approx(1, abs=EXACT)
    assert_unused(limit)


async def test_tokens_that_meet_a_cancellation_go_to_the_next():
    limit, starts = RateLimit(1), Starts()
    await limit.acquire()
    first, second = await started(limit.call(starts, 1), limit.call(starts, 2))

    limit.give_back(1)  # the first one's now
    first.cancel()
    await second

    with pytest.raises(asyncio.CancelledError):
        await first
    assert starts.order == [2]
    assert starts.times == pytest.approx([0], abs=EXACT)
    assert_unused(limit)


@pytest.mark.parametrize("victim", range(4))
async def test_cancelled_after_any_number_of_steps_only_what_was_used_is_spent(victim):
    for steps in count():
        limit, starts = RateLimit(1, burst=1000), Starts()
        loop = asyncio.get_running_loop()
        await limit.acquire(999)
        began = loop.time()

        tasks = [asyncio.create_task(limit.call(starts, number)) for number in range(4)]
        for step in range(steps):
            # turns of the loop, and in between the time of half a token
            await asyncio.sleep(0.5 if step % 4 == 3 else 0)
        was_done = tasks[victim].done()
        tasks[victim].cancel()
        await asyncio.wait(tasks)

        assert_unused(limit)
        assert len(starts.of) == sum(not task.cancelled() for task in tasks)
        await asyncio.sleep(began + 20.5 - loop.time())
        assert left(limit) == 1 + 20 - len(starts.of)
        if was_done:
            break


async def test_a_coroutine_that_is_closed_while_it_waits_leaves_the_line():
    limit = RateLimit(1)
    await limit.acquire()
    waiting = limit.acquire()
    waiting.send(None)
    assert limit.waiting == 1

    waiting.close()

    assert_unused(limit)


async def test_beyond_the_queue_a_call_is_rejected_and_told_when_there_will_be_room():
    limit, starts = RateLimit(2, per=10, queue=1, name="api"), Starts()
    tasks = await started(limit.call(starts), limit.call(starts))
    await asyncio.sleep(1)

    with pytest.raises(RateExceeded, match="api is full: 2 in 10 s, 1 wait, as many as may") as raised:
        await limit.call(starts)

    assert (raised.value.name, raised.value.waiting) == ("api", 1)
    assert raised.value.retry_after == pytest.approx(4, abs=EXACT)
    await asyncio.gather(*tasks)
    assert len(starts.of) == 2


async def test_there_is_room_when_the_first_in_line_has_what_it_waits_for():
    limit = RateLimit(1, burst=4, queue=1)
    await limit.acquire(4)
    (task,) = await started(limit.acquire(3))

    with pytest.raises(RateExceeded) as raised:
        await limit.acquire(1)

    assert raised.value.retry_after == pytest.approx(3, abs=EXACT)
    await task


async def test_with_a_queue_of_none_a_call_that_finds_no_token_is_told_when_there_will_be_one():
    limit = RateLimit(2, per=10, queue=0)
    await limit.acquire()

    with pytest.raises(RateExceeded, match="none may wait") as raised:
        await limit.acquire()

    await asyncio.sleep(raised.value.retry_after + EXACT)
    await limit.acquire()


async def test_who_would_wait_longer_than_it_may_is_rejected_at_once_and_told_when_it_would_not():
    limit, starts = RateLimit(1, max_wait=2, name="api"), Starts()
    tasks = await started(*(limit.call(starts, number) for number in range(3)))

    with pytest.raises(RateExceeded, match=r"api: 1 in 1 s, 2 waiting, this one would wait 3 s") as raised:
        await limit.call(starts)
    assert raised.value.retry_after == pytest.approx(1, abs=EXACT)
    await asyncio.sleep(raised.value.retry_after + EXACT)
    await limit.call(starts, "again")

    await asyncio.gather(*tasks)
    assert starts.order == [0, 1, 2, "again"]
    assert starts.times == pytest.approx([0, 1, 2, 3], abs=EXACT)


async def test_nobody_who_was_let_in_line_waits_longer_than_it_may():
    limit = RateLimit(7, burst=5, max_wait=3)
    waits = []

    async def call(tokens: int) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await limit.acquire(tokens)
        waits.append(loop.time() - began)

    ended = await asyncio.gather(*(call(number % 5 + 1) for number in range(50)), return_exceptions=True)

    assert any(isinstance(end, RateExceeded) for end in ended)
    assert 2.5 < max(waits) <= 3 + EXACT


async def test_listeners_are_told_of_waits_and_rejections():
    limit = RateLimit(1, queue=1, name="api")
    events: list[Event] = []

    with listen(events.append):
        tasks = await started(limit.acquire(), limit.acquire())
        with pytest.raises(RateExceeded) as raised:
            await limit.acquire()
        await asyncio.gather(*tasks)

    assert events[0] == LimitRejected("api", str(raised.value), pytest.approx(1, abs=EXACT))
    assert events[1] == LimitWaited("api", pytest.approx(1, abs=EXACT))
    assert len(events) == 2


async def test_a_listener_that_ends_the_program_spends_no_token():
    limit = RateLimit(1)
    await limit.acquire()

    def stop(event: Event) -> None:
        raise SystemExit(3)

    async def wait() -> None:
        with pytest.raises(SystemExit):
            await limit.acquire()

    with listen(stop):
        await asyncio.create_task(wait())

    assert left(limit) == 1


async def test_each_key_has_a_limit_of_its_own_and_one_that_has_spent_is_kept():
    limit = RateLimit(1, name="customers", queue=0, max_keys=2)

    assert limit["a"].try_acquire()
    for key in range(20):
        assert limit[key].waiting == 0

    assert limit["a"].try_acquire() is False
    with pytest.raises(RateExceeded, match="customers\\['a'\\] is full"):
        await limit["a"].acquire()
    assert limit.try_acquire()


def test_one_loop_after_the_other_may_use_it_and_what_was_spent_counts(virtual_loop):
    limit, starts = RateLimit(1), Starts()

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(limit.call(starts))
    with asyncio.Runner(loop_factory=virtual_loop) as runner:  # the clock begins at 0 again
        runner.run(limit.call(starts))

    assert starts.times == pytest.approx([0, 1], abs=EXACT)
    assert_unused(limit)


def test_a_loop_with_an_earlier_clock_does_not_wait_for_the_other_ones_time(virtual_loop):
    limit, starts = RateLimit(1), Starts()

    async def later() -> None:
        await asyncio.sleep(1000)
        await limit.call(starts)

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(later())
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.run(limit.call(starts))

    assert starts.times == pytest.approx([1000, 0], abs=EXACT)


def test_two_loops_at_once_are_refused_while_one_waits(virtual_loop):
    limit = RateLimit(1, name="api")
    first, second = virtual_loop(), virtual_loop()

    async def wait() -> asyncio.Task[None]:
        await limit.acquire()
        (task,) = await started(limit.acquire())
        return task

    task = first.run_until_complete(wait())
    with pytest.raises(UsageError, match=r"RateLimit\(1, per=1, name='api'\).*in use by another event loop"):
        second.run_until_complete(limit.acquire())
    first.run_until_complete(task)
    second.run_until_complete(limit.acquire())

    first.close()
    second.close()


def test_those_who_waited_on_a_closed_loop_are_forgotten(virtual_loop):
    limit = RateLimit(1)
    first, second = virtual_loop(), virtual_loop()
    waiting = limit.acquire()

    async def leave_behind() -> None:
        await limit.acquire()
        waiting.send(None)

    first.run_until_complete(leave_behind())
    first.close()
    second.run_until_complete(limit.acquire())
    waiting.close()

    assert second.time() == pytest.approx(1, abs=EXACT)  # behind nobody
    assert_unused(limit)
    second.close()


async def test_a_rejection_leaves_nothing_for_the_cyclic_collector():
    limit = RateLimit(1, queue=0)

    class Local:
        pass

    alive = weakref.WeakSet()

    async def call() -> None:
        local = Local()
        alive.add(local)
        await limit.call(asyncio.sleep, local)

    await limit.acquire()
    gc.collect()
    gc.disable()
    try:
        with contextlib.suppress(RateExceeded):
            await call()
        left_over = len(alive)
    finally:
        gc.enable()

    assert left_over == 0


def test_a_rejection_may_pass_and_pickles():
    exceeded = RateExceeded("api is full", "api", retry_after=2.5, waiting=1)

    loaded = pickle.loads(pickle.dumps(exceeded))

    assert vars(loaded) == vars(exceeded)
    assert str(loaded) == "api is full"
    assert classify(exceeded) is Kind.TRANSIENT
    assert retry_after(exceeded) == 2.5


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [
        (RateLimit(10), float("inf")),
        (RateLimit(10, queue=0), 3),
        (RateLimit(10, queue=20), 5),
        (RateLimit(10, queue=20, burst=3), 8.8),
        (RateLimit(10, queue=20, max_wait=1), 4),
        (RateLimit(10, max_wait=2), 5),
    ],
    ids=repr,
)
def test_the_longest_wait_follows_from_those_before_it_in_the_line(limit, seconds):
    assert limit.cost(Cost(3, 4)) == Cost(pytest.approx(seconds), 4)


def test_it_says_what_it_does():
    assert RateLimit(10).phrase() == "start at most 10 in 1 s"
    assert RateLimit(100, per=60, burst=5).phrase() == "start at most 100 in 60 s (up to 5 at once)"
    assert repr(RateLimit(1, burst=5)) == "<RateLimit(1, per=1, burst=5, name='rate limit'): 0 waiting>"


async def test_more_tokens_than_it_ever_holds_are_refused_with_what_to_write():
    limit = RateLimit(100, per=60)

    with pytest.raises(UsageError, match=r"Write RateLimit\(100, per=60, burst=1200\)"):
        await limit.acquire(1200)
    with pytest.raises(UsageError, match="burst=2"):
        limit.try_acquire(2)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), "1", True], ids=repr)
async def test_what_is_no_number_of_tokens_is_refused(wrong):
    limit = RateLimit(1, burst=5)

    with pytest.raises(UsageError, match="Write acquire"):
        await limit.acquire(wrong)
    assert left(limit) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        *({"rate": wrong} for wrong in (0, -1, True, "5", float("inf"))),
        *({"rate": 1, "per": wrong} for wrong in (0, -1, "1")),
        *({"rate": 1, "burst": wrong} for wrong in (0, 0.5, True, float("nan"))),
        *({"rate": 1, "queue": wrong} for wrong in (-1, 1.5, True)),
        *({"rate": 1, "max_wait": wrong} for wrong in (-1, "1")),
    ],
    ids=repr,
)
def test_a_number_out_of_range_is_refused_with_what_to_write(wrong):
    with pytest.raises(UsageError, match="Write RateLimit"):
        RateLimit(**wrong)
