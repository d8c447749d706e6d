"""A limit that finds out how many calls the other side can take: in a simulated server, and call by call."""

import asyncio
import random
from itertools import count
from statistics import mean

import pytest

from unlost._core import Event, listen
from unlost.errors import BreakerOpen, BulkheadFull, DeadlineExceeded, PermanentError, TransientError, UsageError
from unlost.policies._adaptive import AdaptiveLimit
from unlost.policies._adaptive_rules import Aimd, Gradient
from unlost.policies._layer import Cost
from unlost.policies._limit_events import LimitChanged


class Server:
    """
    Does ``capacity`` calls at a time, each in a tenth of a second; others wait there.

    Args:
        patience: The longest that a call waits there before it fails.
        rng: Where there is one, calls take a tenth of a second on average only, by an exponential law.
    """

    def __init__(self, capacity, patience=float("inf"), rng=None):
        self.free_at = [0.0] * capacity
        self.patience = patience
        self.rng = rng
        self.is_down = False
        self.done = 0

    async def __call__(self):
        if self.is_down:
            await asyncio.sleep(0.05)
            raise ConnectionError
        now = asyncio.get_running_loop().time()
        place = min(range(len(self.free_at)), key=self.free_at.__getitem__)
        start = max(now, self.free_at[place])
        if start - now > self.patience:
            await asyncio.sleep(self.patience)
            raise ConnectionError
        self.free_at[place] = start + 0.1 * (1 if self.rng is None else self.rng.expovariate(1))
        await asyncio.sleep(self.free_at[place] - now)
        self.done += 1


async def use(limit, server, seconds, clients=150):
    """Let so many clients call all the time; return the limit at each tenth of a second."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    limits = []

    async def client():
        while loop.time() < end:
            try:
                await limit.call(server)
            except ConnectionError:
                continue

    async def watch():
        while loop.time() < end:
            await asyncio.sleep(0.1)
            limits.append(limit.limit)

    await asyncio.gather(watch(), *(client() for _ in range(clients)))
    return limits


def assert_unused(limit):
    assert (limit.running, limit.waiting) == (0, 0)


SERVERS = {
    "aimd": (lambda: Server(40, patience=0.1), "aimd"),
    "aimd-slow": (lambda: Server(40), Aimd(slow=0.2)),
    "gradient": (lambda: Server(40), "gradient"),
    "gradient-random": (lambda: Server(40, rng=random.Random(1)), "gradient"),
}


@pytest.mark.parametrize(("make", "algorithm"), SERVERS.values(), ids=SERVERS)
async def test_it_settles_near_what_the_server_can_do(make, algorithm):
    server = make()
    limit = AdaptiveLimit(10, maximum=500, algorithm=algorithm)

    await use(limit, server, 6)
    before = server.done
    limits = await use(limit, server, 6)

    assert 30 <= mean(limits) <= 90
    assert server.done - before > 0.85 * 6 * 400
    assert_unused(limit)


@pytest.mark.parametrize(("make", "algorithm"), SERVERS.values(), ids=SERVERS)
async def test_it_recovers_after_an_outage(make, algorithm):
    server = make()
    limit = AdaptiveLimit(40, maximum=500, algorithm=algorithm)
    await use(limit, server, 1)

    server.is_down = True
    during = await use(limit, server, 2)
    server.is_down = False
    after = await use(limit, server, 12)

    assert during[-1] <= 2
    assert 30 <= mean(after[-50:]) <= 90


async def test_a_limit_that_was_too_high_comes_down():
    server = Server(20)
    limit = AdaptiveLimit(200, maximum=500, algorithm="gradient")

    limits = await use(limit, server, 15)

    assert max(limits) == 200
    assert 15 <= mean(limits[-50:]) <= 45


async def test_at_its_maximum_it_stays_while_all_goes_well():
    limit = AdaptiveLimit(100, maximum=100)

    async def job():
        await asyncio.sleep(0)

    async def client():
        for _ in range(5):
            await limit.call(job)

    await asyncio.gather(*(client() for _ in range(1000)))

    assert limit.limit == 100
    assert_unused(limit)


async def raised(error):
    raise error


LOWERED = [TransientError(), TimeoutError(), DeadlineExceeded(1, 1), ConnectionResetError()]
UNMOVED = [
    *(PermanentError(), ValueError(), KeyError()),
    *(BulkheadFull("another is full"), BreakerOpen("api", "tripped", 0.0, 1.0)),
]


@pytest.mark.parametrize("error", LOWERED, ids=repr)
async def test_an_error_that_may_pass_lowers_the_limit_and_comes_out_itself(error):
    limit = AdaptiveLimit(100)

    with pytest.raises(type(error)) as out:
        await limit.call(raised, error)

    assert out.value is error
    assert limit.limit == 80
    assert_unused(limit)


@pytest.mark.parametrize("error", UNMOVED, ids=repr)
async def test_an_error_that_does_not_speak_of_overload_moves_nothing(error):
    limit = AdaptiveLimit(2, algorithm=Aimd(increase=10))

    with pytest.raises(type(error)) as out:
        await limit.call(raised, error)

    assert out.value is error
    assert limit.limit == 2
    assert_unused(limit)


async def test_what_counts_as_overload_can_be_said():
    limit = AdaptiveLimit(100, on=(KeyError, lambda error: str(error) == "busy"))

    for error in (KeyError(), ValueError("busy"), TransientError()):
        with pytest.raises(type(error)):
            await limit.call(raised, error)
        await asyncio.sleep(1)

    assert limit.limit == 64


async def test_an_error_of_the_users_own_rule_has_the_calls_error_as_context():
    error = ValueError("of the call")
    limit = AdaptiveLimit(100, on=lambda error: error.missing)

    with pytest.raises(AttributeError) as out:
        await limit.call(raised, error)

    assert out.value.__context__ is error
    assert_unused(limit)


async def test_a_cancelled_call_tells_nothing_and_gives_its_permit_back():
    limit = AdaptiveLimit(2, algorithm=Aimd(increase=10))
    task = asyncio.create_task(limit.call(asyncio.sleep, 10))
    await asyncio.sleep(1)

    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert limit.limit == 2
    assert_unused(limit)


@pytest.mark.parametrize("algorithm", ["aimd", "gradient"])
@pytest.mark.parametrize("victim", range(5))
async def test_cancelled_after_any_number_of_turns_every_permit_comes_back(victim, algorithm):
    for turns in count():
        limit = AdaptiveLimit(2, algorithm=algorithm)

        async def job(number):
            await asyncio.sleep(0)
            if number == 1:
                raise ConnectionError
            await asyncio.sleep(0)

        tasks = [asyncio.create_task(limit.call(job, number)) for number in range(5)]
        for _ in range(turns):
            await asyncio.sleep(0)
        was_done = tasks[victim].done()
        tasks[victim].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)

        assert_unused(limit)
        assert all(end is None or isinstance(end, asyncio.CancelledError | ConnectionError) for end in ended)
        if was_done:
            break


async def test_a_limit_that_falls_lets_nobody_in_until_enough_have_ended():
    limit = AdaptiveLimit(10, algorithm=Aimd(decrease=0.2))
    tasks = [asyncio.create_task(limit.call(asyncio.sleep, 2)) for _ in range(9)]
    await asyncio.sleep(0)

    with pytest.raises(ConnectionError):
        await limit.call(raised, ConnectionError())
    waiting = asyncio.create_task(limit.call(asyncio.sleep, 2))
    await asyncio.sleep(1)

    assert (limit.limit, limit.running, limit.waiting) == (2, 9, 1)
    await asyncio.gather(*tasks, waiting)
    assert_unused(limit)


async def test_a_limit_that_rises_lets_those_in_who_wait():
    limit = AdaptiveLimit(1, algorithm=Aimd(increase=5))
    running = []

    async def job():
        running.append(limit.running)
        await asyncio.sleep(1)

    await asyncio.gather(*(limit.call(job) for _ in range(7)))

    assert max(running) == 6
    assert asyncio.get_running_loop().time() == pytest.approx(2, abs=0.01)


async def test_listeners_are_told_when_it_changes():
    limit = AdaptiveLimit(10, name="api")
    events: list[Event] = []

    with listen(events.append), pytest.raises(ConnectionError):
        await limit.call(raised, ConnectionError())

    assert events == [LimitChanged("api", 10, 8)]


async def test_a_full_queue_rejects_with_the_figures_of_now():
    limit = AdaptiveLimit(10, queue=0, algorithm=Aimd(decrease=0.1), name="api")
    with pytest.raises(ConnectionError):
        await limit.call(raised, ConnectionError())

    async with limit:
        with pytest.raises(BulkheadFull, match="api is full: 1 of 1 calls run, none may wait"):
            await limit.call(asyncio.sleep, 0)


async def test_the_block_form_tells_nothing():
    limit = AdaptiveLimit(10)

    with pytest.raises(ConnectionError):
        async with limit:
            raise ConnectionError

    assert limit.limit == 10
    assert_unused(limit)


async def test_each_key_finds_out_on_its_own():
    limit = AdaptiveLimit(10, name="hosts")

    with pytest.raises(ConnectionError):
        await limit["a"].call(raised, ConnectionError())

    assert (limit["a"].limit, limit["b"].limit, limit.limit) == (8, 10, 10)
    assert limit["a"].name == "hosts['a']"


def test_the_calls_of_a_closed_loop_give_no_permit_back_and_teach_nothing(virtual_loop):
    limit = AdaptiveLimit(2)
    first, second = virtual_loop(), virtual_loop()
    left_behind = limit.call(raised_later)

    async def leave_behind():
        left_behind.send(None)

    first.run_until_complete(leave_behind())
    first.close()

    async def use_it():
        async with limit:
            with pytest.raises(ConnectionError):
                left_behind.throw(ConnectionError())
            return limit.running, limit.limit

    assert second.run_until_complete(use_it()) == (1, 2)
    second.close()


async def raised_later():
    await asyncio.Event().wait()


def test_the_longest_wait_is_that_of_the_lowest_limit():
    assert AdaptiveLimit(20, minimum=5, queue=10).cost(Cost(3, 4)) == Cost(9, 4)
    assert AdaptiveLimit(20).cost(Cost(3, 4)) == Cost(float("inf"), 4)


def test_it_says_what_it_does():
    assert AdaptiveLimit().phrase() == "run as many at once as turns out well (1 to 1000)"
    assert AdaptiveLimit(queue=5).phrase() == "run as many at once as turns out well (1 to 1000, up to 5 waiting)"
    text = "<AdaptiveLimit(20 now, 1 to 1000, name='adaptive limit'): 0 running, 0 waiting>"
    assert repr(AdaptiveLimit()) == text
    assert AdaptiveLimit(10, algorithm=Gradient(tolerance=1.2)).limit == 4


def str_of(arguments):
    """Name a case without addresses: parallel runs have to find the same ones."""
    return ",".join(f"{name}={getattr(value, '__name__', value)}" for name, value in arguments.items())


@pytest.mark.parametrize(
    "wrong",
    [
        *({"initial": wrong} for wrong in (0, 1.5, True)),
        *({"initial": 10, "minimum": wrong} for wrong in (0, 11)),
        *({"initial": 10, "maximum": wrong} for wrong in (9, 0, float("inf"))),
        *({"algorithm": wrong} for wrong in ("vegas", None, Aimd.after, 5)),
        *({"queue": -1}, {"max_wait": 0}),
    ],
    ids=str_of,
)
def test_what_cannot_work_is_refused_with_what_to_write(wrong):
    with pytest.raises(UsageError, match="Write AdaptiveLimit"):
        AdaptiveLimit(**wrong)
