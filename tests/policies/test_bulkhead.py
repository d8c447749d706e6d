"""At most so many at once, first come first served, and no permit is ever lost."""

import asyncio
import gc
import pickle
import weakref
from itertools import count

import pytest

from unlost._core import Event, listen
from unlost.errors import BulkheadFull, Kind, UsageError, classify
from unlost.policies._bulkhead import Bulkhead
from unlost.policies._layer import Cost
from unlost.policies._limit_events import LimitRejected, LimitWaited


class Service:
    """Takes a second for each call, and knows who was served, in order, and how many at once."""

    def __init__(self) -> None:
        self.running = self.most = 0
        self.served: list[object] = []

    async def __call__(self, who: object = None) -> object:
        self.running += 1
        self.most = max(self.most, self.running)
        self.served.append(who)
        try:
            await asyncio.sleep(1)
            return who
        finally:
            self.running -= 1


async def started(*coroutines):
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    await asyncio.sleep(0)
    return tasks


def assert_unused(bulkhead: Bulkhead) -> None:
    assert (bulkhead.running, bulkhead.waiting) == (0, 0)


async def test_at_most_limit_calls_run_at_once_and_all_are_served_in_the_order_they_came():
    bulkhead, service = Bulkhead(3), Service()

    values = await asyncio.gather(*(bulkhead.call(service, number) for number in range(10)))

    assert values == service.served == list(range(10))
    assert service.most == 3
    assert asyncio.get_running_loop().time() == pytest.approx(4, abs=0.01)
    assert_unused(bulkhead)


async def test_the_block_form_counts_together_with_calls():
    bulkhead, service = Bulkhead(1), Service()

    async with bulkhead as entered:
        (task,) = await started(bulkhead.call(service, 1))
        assert entered is bulkhead
        assert (bulkhead.running, bulkhead.waiting, service.running) == (1, 1, 0)

    assert await task == 1
    assert_unused(bulkhead)


async def test_a_call_that_fails_gives_its_permit_back_and_its_error_comes_out_itself():
    bulkhead, error = Bulkhead(1), ValueError("mine")

    async def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="mine") as raised:
        await bulkhead.call(fail)

    assert raised.value is error
    assert_unused(bulkhead)


async def test_nobody_who_comes_later_passes_those_who_wait():
    bulkhead, service = Bulkhead(1), Service()
    holder, waiter = await started(bulkhead.call(service, "holder"), bulkhead.call(service, "waiter"))

    await holder
    late = asyncio.create_task(bulkhead.call(service, "late"))  # the permit is free, the waiter not yet resumed
    await asyncio.gather(waiter, late)

    assert service.served == ["holder", "waiter", "late"]


async def test_beyond_the_queue_a_call_is_rejected_with_the_figures():
    bulkhead, service = Bulkhead(2, queue=1, name="database"), Service()
    tasks = await started(*(bulkhead.call(service, number) for number in range(3)))

    with pytest.raises(BulkheadFull, match="database is full: 2 of 2 calls run, 1 waits, as many as may") as raised:
        await bulkhead.call(service, "rejected")

    full = raised.value
    assert (full.name, full.limit, full.running, full.waiting, full.retry_after) == ("database", 2, 2, 1, None)
    await asyncio.gather(*tasks)
    assert service.served == [0, 1, 2]


async def test_with_a_queue_of_none_who_finds_no_permit_is_rejected():
    bulkhead, service = Bulkhead(1, queue=0), Service()
    (task,) = await started(bulkhead.call(service))

    with pytest.raises(BulkheadFull, match="1 of 1 calls run, none may wait"):
        async with bulkhead:
            pytest.fail("entered")

    await task
    assert_unused(bulkhead)


async def test_who_waits_longer_than_it_may_is_rejected_and_leaves_the_line():
    bulkhead, service = Bulkhead(1, max_wait=0.5), Service()
    holder, waiter = await started(bulkhead.call(service, "holder"), bulkhead.call(service, "waiter"))

    with pytest.raises(BulkheadFull, match=r"bulkhead is full: 1 of 1 calls run, 0 wait, .* waited 0.5 s"):
        await waiter

    assert (bulkhead.running, bulkhead.waiting) == (1, 0)
    assert await holder == "holder"
    assert_unused(bulkhead)


async def test_a_wait_that_ends_in_time_is_not_counted_as_too_long_later():
    bulkhead, service = Bulkhead(1, max_wait=1.5), Service()

    assert await asyncio.gather(*(bulkhead.call(service, number) for number in (1, 2))) == [1, 2]
    assert_unused(bulkhead)


async def test_the_timer_of_a_wait_ends_with_it():
    bulkhead, service, timers = Bulkhead(1, max_wait=100), Service(), []
    loop = asyncio.get_running_loop()
    call_later = loop.call_later
    loop.call_later = lambda *args: timers.append(call_later(*args)) or timers[-1]
    tasks = await started(*(bulkhead.call(service) for _ in range(3)))

    tasks[2].cancel()
    await asyncio.wait(tasks)

    waits = [timer for timer in timers if timer.when() > 50]
    assert len(waits) == 2
    assert all(timer.cancelled() for timer in waits)


async def test_who_is_cancelled_in_the_tick_in_which_its_time_is_up_gives_nothing_back():
    bulkhead, service = Bulkhead(1, max_wait=0.5), Service()
    holder, waiter = await started(bulkhead.call(service), bulkhead.call(service))

    asyncio.get_running_loop().call_later(0.5, waiter.cancel)
    await asyncio.wait([waiter])

    assert (bulkhead.running, bulkhead.waiting) == (1, 0)
    await holder
    assert_unused(bulkhead)


async def test_a_cancelled_waiter_leaves_the_line_and_the_others_move_up():
    bulkhead, service = Bulkhead(1), Service()
    tasks = await started(*(bulkhead.call(service, number) for number in range(4)))

    tasks[1].cancel("not needed")
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(ended[1], asyncio.CancelledError)
    assert service.served == [0, 2, 3]
    assert_unused(bulkhead)


async def test_a_permit_that_meets_a_cancellation_goes_to_the_next():
    bulkhead, service = Bulkhead(1), Service()
    await bulkhead.__aenter__()
    first, second = await started(bulkhead.call(service, 1), bulkhead.call(service, 2))

    await bulkhead.__aexit__(None, None, None)  # the permit is the first one's now
    first.cancel()

    assert await second == 2
    with pytest.raises(asyncio.CancelledError):
        await first
    assert service.served == [2]
    assert_unused(bulkhead)


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_a_whole_line_that_is_cancelled_around_a_release_loses_no_permit(cancelled_first):
    bulkhead, service = Bulkhead(2), Service()
    await bulkhead.__aenter__()
    await bulkhead.__aenter__()
    tasks = await started(*(bulkhead.call(service, number) for number in range(5)))

    for act in (0, 1) if cancelled_first else (1, 0):
        if act == 0:
            for task in tasks[:4]:
                task.cancel()
        else:
            await bulkhead.__aexit__(None, None, None)
            await bulkhead.__aexit__(None, None, None)

    assert await tasks[4] == 4
    await asyncio.gather(*tasks[:4], return_exceptions=True)
    assert_unused(bulkhead)


@pytest.mark.parametrize("victim", range(4))
async def test_cancelled_after_any_number_of_turns_every_permit_comes_back(victim):
    for turns in count():
        bulkhead = Bulkhead(1, queue=2)

        async def job() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        async def in_a_block(bulkhead=bulkhead, job=job) -> None:
            async with bulkhead:
                await job()

        tasks = [asyncio.create_task(bulkhead.call(job) if number % 2 else in_a_block()) for number in range(4)]
        for _ in range(turns):
            await asyncio.sleep(0)
        was_done = tasks[victim].done()
        tasks[victim].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)

        assert_unused(bulkhead)
        assert all(end is None or isinstance(end, asyncio.CancelledError | BulkheadFull) for end in ended)
        assert sum(isinstance(end, asyncio.CancelledError) for end in ended) <= 1
        if was_done:
            break


async def test_the_cancel_count_of_a_cancelled_waiter_is_kept():
    bulkhead = Bulkhead(1)
    counts = []

    async def wait() -> None:
        try:
            await bulkhead.call(asyncio.sleep, 0)
        except asyncio.CancelledError:
            counts.append(asyncio.current_task().cancelling())
            raise

    async with bulkhead:
        (task,) = await started(wait())
        task.cancel()
        await asyncio.wait([task])

    assert task.cancelled()
    assert counts == [1]


async def test_a_coroutine_that_is_closed_while_it_waits_leaves_the_line():
    bulkhead = Bulkhead(1)
    async with bulkhead:
        waiting = bulkhead.call(asyncio.sleep, 0)
        waiting.send(None)
        assert bulkhead.waiting == 1

        waiting.close()

        assert bulkhead.waiting == 0
    assert_unused(bulkhead)


async def test_listeners_are_told_of_waits_and_rejections():
    bulkhead, service = Bulkhead(1, queue=1, name="database"), Service()
    events: list[Event] = []

    with listen(events.append):
        tasks = await started(bulkhead.call(service), bulkhead.call(service))
        with pytest.raises(BulkheadFull) as raised:
            await bulkhead.call(service)
        await asyncio.gather(*tasks)

    assert events[0] == LimitRejected("database", str(raised.value), None)
    assert events[1] == LimitWaited("database", pytest.approx(1, abs=0.01))
    assert len(events) == 2


async def test_a_listener_that_ends_the_program_takes_no_permit_with_it():
    bulkhead = Bulkhead(1)

    def stop(event: Event) -> None:
        raise SystemExit(3)

    async def wait() -> None:
        with pytest.raises(SystemExit):
            await bulkhead.call(asyncio.sleep, 0)

    with listen(stop):
        async with bulkhead:
            (task,) = await started(wait())
        await task

    assert_unused(bulkhead)


async def test_each_key_has_a_limit_of_its_own():
    bulkhead, service = Bulkhead(1, queue=0, name="hosts"), Service()

    async with bulkhead["a"]:
        assert await bulkhead["b"].call(service, "b") == "b"
        with pytest.raises(BulkheadFull, match="hosts\\['a'\\] is full"):
            await bulkhead["a"].call(service)

    assert bulkhead["a"] is bulkhead["a"]
    assert_unused(bulkhead)


async def test_a_key_in_use_outlives_those_that_are_idle():
    bulkhead = Bulkhead(1, max_keys=2)

    async with bulkhead["busy"]:
        for key in range(20):
            async with bulkhead[key]:
                pass

        assert bulkhead["busy"].running == 1


def test_one_loop_after_the_other_may_use_it(virtual_loop):
    bulkhead, service = Bulkhead(1), Service()

    async def main() -> None:
        await asyncio.gather(*(bulkhead.call(service) for _ in range(3)))

    for _ in range(2):
        with asyncio.Runner(loop_factory=virtual_loop) as runner:
            runner.run(main())

    assert len(service.served) == 6
    assert_unused(bulkhead)


def test_two_loops_at_once_are_refused(virtual_loop):
    bulkhead = Bulkhead(2, name="database")
    first, second = virtual_loop(), virtual_loop()

    first.run_until_complete(bulkhead.__aenter__())
    with pytest.raises(UsageError, match=r"Bulkhead\(2, name='database'\).*in use by another event loop"):
        second.run_until_complete(bulkhead.call(asyncio.sleep, 0))
    first.run_until_complete(bulkhead.__aexit__(None, None, None))
    second.run_until_complete(bulkhead.call(asyncio.sleep, 0))

    assert_unused(bulkhead)
    first.close()
    second.close()


def test_the_permits_of_a_closed_loop_are_void_and_its_calls_give_none_back(virtual_loop):
    bulkhead = Bulkhead(2)
    first, second = virtual_loop(), virtual_loop()

    async def hold() -> None:
        await asyncio.Event().wait()

    held, waiting = bulkhead.call(hold), None

    async def leave_behind() -> None:
        nonlocal waiting
        held.send(None)
        await bulkhead.__aenter__()
        waiting = bulkhead.call(hold)
        waiting.send(None)

    first.run_until_complete(leave_behind())
    first.close()

    async def use() -> tuple[int, int]:
        async with bulkhead:
            held.close()
            waiting.close()
            return bulkhead.running, bulkhead.waiting

    assert second.run_until_complete(use()) == (1, 0)
    with pytest.raises(StopIteration):
        bulkhead.__aexit__(None, None, None).send(None)  # of the block that was entered on the first loop
    assert_unused(bulkhead)
    second.close()


def test_a_permit_that_was_given_but_not_used_on_a_closed_loop_is_void(virtual_loop):
    bulkhead = Bulkhead(1)
    first, second = virtual_loop(), virtual_loop()
    holding, waiting = (bulkhead.call(asyncio.sleep, 1) for _ in range(2))

    async def leave_behind() -> None:
        holding.send(None)
        waiting.send(None)
        holding.close()  # the permit is the other one's, who is never resumed

    first.run_until_complete(leave_behind())
    first.close()

    async def use() -> int:
        async with bulkhead:
            waiting.close()
            return bulkhead.running

    assert second.run_until_complete(use()) == 1
    assert_unused(bulkhead)
    second.close()


def test_a_call_that_ends_after_its_loop_was_closed_gives_nothing_to_those_who_wait_there(virtual_loop):
    bulkhead = Bulkhead(1)
    loop = virtual_loop()
    holding = bulkhead.call(asyncio.sleep, 1)

    async def leave_behind() -> asyncio.Task[None]:
        holding.send(None)
        (task,) = await started(bulkhead.call(asyncio.sleep, 1))
        return task

    task = loop.run_until_complete(leave_behind())
    task._log_destroy_pending = False
    loop.close()
    holding.close()  # to resume who waits would raise: its loop is closed

    assert_unused(bulkhead)
    del task


async def test_a_rejection_and_an_error_leave_nothing_for_the_cyclic_collector():
    bulkhead = Bulkhead(1, queue=0)

    class Local:
        pass

    alive = weakref.WeakSet()

    async def fail(local: Local) -> None:
        raise ValueError(local)

    async def reject(local: Local) -> None:
        async with bulkhead:
            await bulkhead.call(fail, local)

    gc.collect()
    gc.disable()
    try:
        for call in (bulkhead.call, lambda func, local: reject(local)):
            local = Local()
            alive.add(local)
            try:
                await call(fail, local)
            except (ValueError, BulkheadFull):
                del local
        left = len(alive)
    finally:
        gc.enable()

    assert left == 0


def test_a_rejection_may_pass_and_pickles():
    full = BulkheadFull("database is full", "database", limit=2, running=2, waiting=1)

    loaded = pickle.loads(pickle.dumps(full))

    assert vars(loaded) == vars(full)
    assert str(loaded) == "database is full"
    assert classify(full) is Kind.TRANSIENT


@pytest.mark.parametrize(
    ("bulkhead", "seconds"),
    [
        (Bulkhead(10), float("inf")),
        (Bulkhead(10, queue=0), 3),
        (Bulkhead(10, queue=25), 12),
        (Bulkhead(10, max_wait=2), 5),
        (Bulkhead(10, queue=25, max_wait=2), 5),
        (Bulkhead(10, queue=5, max_wait=20), 6),
    ],
    ids=repr,
)
def test_the_longest_wait_follows_from_those_before_it_in_the_line(bulkhead, seconds):
    assert bulkhead.cost(Cost(3, 4)) == Cost(seconds, 4)


async def test_the_longest_wait_is_what_a_full_line_comes_to():
    bulkhead, service = Bulkhead(2, queue=5), Service()

    await asyncio.gather(*(bulkhead.call(service) for _ in range(7)))

    assert asyncio.get_running_loop().time() == pytest.approx(bulkhead.cost(Cost(1, 1)).seconds, abs=0.01)


def test_it_says_what_it_does():
    assert Bulkhead(10).phrase() == "run at most 10 at once"
    assert Bulkhead(10, queue=5).phrase() == "run at most 10 at once (up to 5 waiting)"
    assert Bulkhead(10, queue=0).phrase() == "run at most 10 at once (none waiting)"
    assert repr(Bulkhead(2, queue=1)) == "<Bulkhead(2, queue=1, name='bulkhead'): 0 running, 0 waiting>"


def test_around_itself_it_is_refused():
    bulkhead = Bulkhead(1)

    assert "is around itself" in bulkhead.refusal((Bulkhead(1), bulkhead))
    assert bulkhead.refusal((Bulkhead(1),)) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        *({"limit": wrong} for wrong in (0, -1, 1.5, True, "5")),
        *({"limit": 1, "queue": wrong} for wrong in (-1, 1.5, True)),
        *({"limit": 1, "max_wait": wrong} for wrong in (0, -1, "1")),
        {"limit": 1, "max_keys": 0},
    ],
    ids=repr,
)
def test_a_number_out_of_range_is_refused_with_what_to_write(wrong):
    with pytest.raises(UsageError, match=r"Write (Bulkhead|Keyed)"):
        Bulkhead(**wrong)
