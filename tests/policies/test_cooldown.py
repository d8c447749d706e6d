"""A rest that all callers of one key take together."""

import asyncio
import functools
import gc
import weakref
from collections.abc import Iterable
from itertools import pairwise

import pytest

from unlost._core import constant, listen
from unlost.errors import TransientError, UsageError, attempts
from unlost.policies import Retry
from unlost.policies._cooldown import Cooldown, CooledDown
from unlost.policies._cooldown_gate import place


class TooMany(Exception):
    def __init__(self, status: int = 429, retry_after: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.headers = {} if retry_after is None else {"Retry-After": retry_after}


class Server:
    """Answers by a script, then always; knows when it was called."""

    def __init__(self, *script: object, takes: float = 0.0) -> None:
        self.script = list(script)
        self.takes = takes
        self.calls: list[tuple[float, object]] = []

    async def __call__(self, caller: object = None) -> object:
        self.calls.append((now(), caller))
        answer = self.script.pop(0) if self.script else "value"
        await asyncio.sleep(self.takes)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.calls]


def now() -> float:
    return asyncio.get_running_loop().time()


def about(times: Iterable[float]) -> object:
    """As uvloop keeps them: to the millisecond."""
    return pytest.approx(list(times), abs=0.002)


def patient(cooldown: Cooldown, attempts: int = 9) -> Retry:
    return Retry(attempts, backoff=constant(0), cooldown=cooldown)


async def test_a_thousand_callers_wait_together_and_go_on_in_their_order_each_at_its_own_moment() -> None:
    cooldown = Cooldown(ramp=1)
    retry, server = patient(cooldown), Server(TooMany(retry_after="30"))

    async def call(number: int) -> None:
        await asyncio.sleep(number / 1000)
        await retry.call(server, number)

    await asyncio.gather(*(call(number) for number in range(1000)))

    first, *others = server.calls
    assert first == (0, 0)
    assert [number for _, number in others] == list(range(1000))
    times = [time for time, _ in others]
    assert times == about(30 + place(number, 1) for number in range(1000))
    assert len(set(times)) > 900  # uvloop rounds to milliseconds
    assert max(times) < 41
    for second in range(10):
        assert sum(30 + second <= time < 31 + second for time in times) <= 2 ** (second + 1)


async def test_a_thousand_callers_that_are_refused_at_once_count_as_one_event_and_do_not_storm() -> None:
    cooldown = Cooldown(seconds=5, ramp=1)
    retry, server = patient(cooldown), Server(*(TooMany() for _ in range(1000)), takes=0.01)
    cooled = []

    with listen(lambda event: cooled.append(event) if isinstance(event, CooledDown) else None):
        await asyncio.gather(*(retry.call(server, number) for number in range(1000)))

    assert [event.seconds for event in cooled] == [5]
    assert len(server.calls) == 2000
    again = server.times[1000:]
    assert min(again) == pytest.approx(5.01)
    assert all(earlier <= later for earlier, later in pairwise(again))
    assert len(set(again)) > 900


async def test_a_refusal_during_the_ramp_stops_the_others_again_and_they_keep_their_order() -> None:
    cooldown = Cooldown(seconds=10, ramp=1)
    retry, server = patient(cooldown), Server(TooMany(), "value", TooMany())

    async def call(number: int) -> None:
        await asyncio.sleep(number / 100)
        await retry.call(server, number)

    await asyncio.gather(*(call(number) for number in range(5)))

    # 0 is refused and goes on first; 1 is refused, twice as long, and goes to the end of the line
    assert [number for _, number in server.calls] == [0, 0, 1, 2, 3, 4, 1]
    assert server.times == about([0, 10, 11, *(31 + place(number, 1) for number in range(4))])


async def test_a_first_attempt_waits_too_and_other_keys_do_not() -> None:
    cooldown = Cooldown(key=lambda host: host)
    server = Server()
    cooldown["a"].cool(7)

    await asyncio.gather(*(patient(cooldown).call(server, host) for host in ("a", "b")))

    assert server.calls == [(0, "b"), (7, "a")]


async def test_the_key_is_found_by_the_arguments_of_the_users_function_wherever_it_stands() -> None:
    seen = []
    cooldown = Cooldown(key=lambda *args, **options: seen.append((args, options)))

    async def fetch(a: int, b: int, *, c: int = 0) -> None: ...

    await patient(cooldown).call(fetch, 1, 2)
    await patient(cooldown)(fetch)(1, b=2, c=3)
    await patient(cooldown).call(Retry(2).call, fetch, 1, 2)
    await (patient(cooldown) | Retry(2))(fetch)(1, 2, c=3)
    await (Retry(2) | patient(cooldown)).outcome(functools.partial(fetch, 1, c=3), 2)

    assert seen == [
        ((1, 2), {}), ((1,), {"b": 2, "c": 3}), ((1, 2), {}), ((1, 2), {"c": 3}), ((1, 2), {"c": 3}),
    ]  # fmt: skip


async def test_a_retry_can_be_given_the_cool_down_of_one_key() -> None:
    cooldown = Cooldown(seconds=3)
    server = Server(TooMany())

    await Retry(cooldown=cooldown["a"]).call(server)

    assert server.times == [0, 3]
    assert cooldown["a"] == cooldown["a"]


@pytest.mark.parametrize(
    ("error", "cools"),
    [
        (TooMany(429), True),
        (TooMany(503), True),
        (TooMany(500), False),
        (TooMany(403, retry_after="2"), True),
        (TransientError(), False),
        (ExceptionGroup("g", [TransientError(), ExceptionGroup("h", [TooMany()])]), True),
    ],
    ids=str,
)
async def test_what_cools_down_is_too_many_or_says_when_to_come_back(error: Exception, cools: bool) -> None:
    cooldown = Cooldown()["key"]

    assert cooldown.take(error) is cools
    assert (cooldown.remaining > 0) is cools


async def test_what_cools_down_can_be_said() -> None:
    cooldown = Cooldown(on=ConnectionError)["key"]

    assert cooldown.take(ConnectionError())
    assert not cooldown.take(TooMany())


async def test_without_a_hint_each_refusal_of_somebody_that_was_let_through_doubles_the_rest_up_to_the_cap() -> None:
    server = Server(*(TooMany() for _ in range(4)))

    await patient(Cooldown(seconds=2, cap=9)).call(server)

    assert server.times == [0, 2, 6, 14, 23]


async def test_quiet_makes_it_forget() -> None:
    cooldown = Cooldown(seconds=2, ramp=1)
    key = cooldown["key"]
    key.take(TooMany())
    await asyncio.sleep(2 + 10.5)

    assert cooldown.gate("key") is None
    key.take(TooMany())
    assert key.remaining == 2


async def test_a_hint_is_cut_at_the_cap() -> None:
    key = Cooldown(cap=20)["key"]

    key.take(TooMany(retry_after="3600"))

    assert key.remaining == 20


async def test_of_what_was_under_way_only_a_later_hint_counts() -> None:
    key = Cooldown(seconds=4)["key"]
    token = await key.wait()

    key.take(TooMany(), token)
    key.take(TooMany(), token)
    without_hint = key.remaining
    key.take(TooMany(retry_after="3"), token)
    with_shorter = key.remaining
    key.take(TooMany(retry_after="9"), token)

    with_longer = key.remaining
    key.take(TooMany(retry_after="3600"), token)

    assert (without_hint, with_shorter, with_longer, key.remaining) == (4, 4, 9, 60)


async def test_the_rest_takes_the_place_of_hint_and_backoff() -> None:
    server = Server(TooMany(retry_after="6"))

    await Retry(backoff=constant(100), cooldown=Cooldown()).call(server)

    assert server.times == [0, 6]


async def test_other_errors_wait_as_ever() -> None:
    server = Server(TransientError())

    await Retry(backoff=constant(5), cooldown=Cooldown()).call(server)

    assert server.times == [0, 5]


async def test_a_rest_beyond_the_total_gives_up_at_once() -> None:
    outcome = await Retry(total=5, cooldown=Cooldown(seconds=6)).outcome(Server(TooMany()))

    assert outcome.attempts == 1
    assert now() == 0


async def test_a_rest_that_was_prolonged_beyond_the_total_gives_up_with_the_last_error() -> None:
    cooldown = Cooldown(seconds=4)
    first, last = TransientError(), TooMany()
    server = Server(first, last)
    task = asyncio.create_task(Retry(total=5, backoff=constant(0), cooldown=cooldown["key"]).outcome(server))
    await asyncio.sleep(1)
    cooldown["key"].cool(20)

    outcome = await task

    assert outcome.error is last
    assert outcome.attempts == 2
    assert outcome.survived == attempts(last) == (first,)
    assert "the cool-down lasted longer than the total" in last.__notes__[0]
    assert len(server.calls) == 2


@pytest.mark.parametrize("method", ["call", "outcome"])
async def test_whoever_is_cancelled_leaves_the_line_and_nobody_waits_longer(method: str) -> None:
    cooldown = Cooldown()
    server = Server()
    cooldown[None].cool(10)
    tasks = [asyncio.create_task(getattr(patient(cooldown), method)(server, number)) for number in range(4)]
    await asyncio.sleep(1)

    tasks[0].cancel()
    tasks[2].cancel()
    await asyncio.sleep(0)
    remaining = cooldown[None].remaining
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(end, asyncio.CancelledError) for end in ended] == [True, False, True, False]
    assert remaining == pytest.approx(9 + place(2, 1))
    assert server.calls == [(10, 1), (11, 3)]


async def test_a_turn_that_reaches_a_task_in_the_moment_of_its_cancellation_goes_to_the_next() -> None:
    cooldown = Cooldown()
    server = Server()
    cooldown[None].cool(10)
    tasks = [asyncio.create_task(patient(cooldown).call(server, number)) for number in range(3)]
    await asyncio.sleep(0)
    gate = cooldown.gate(None)
    asyncio.get_running_loop().call_at(10, tasks[0].cancel)  # after the gate's own timer

    await asyncio.gather(*tasks, return_exceptions=True)

    assert tasks[0].cancelled()
    assert server.calls == [(10, 1), (11, 2)]
    assert len(gate) == 0


async def test_a_cancellation_in_the_line_has_the_errors_so_far() -> None:
    error = TooMany()
    task = asyncio.create_task(patient(Cooldown(seconds=9)).call(Server(error)))
    await asyncio.sleep(1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert attempts(caught.value) == (error,)
    assert task.cancelling() == 1


async def test_it_keeps_nothing_of_a_key_that_is_not_cooling() -> None:
    cooldown = Cooldown(key=lambda number: number)

    await asyncio.gather(*(patient(cooldown).call(Server(TooMany(retry_after="1")), number) for number in range(100)))
    await asyncio.sleep(60)

    assert [cooldown.gate(number) for number in range(100)] == [None] * 100


async def test_without_a_ramp_all_go_on_at_once() -> None:
    cooldown = Cooldown(ramp=0)
    server = Server()
    cooldown[None].cool(10)

    await asyncio.gather(*(patient(cooldown).call(server) for _ in range(50)))

    assert server.times == [10] * 50


def test_each_loop_cools_down_by_itself_and_is_let_go(virtual_loop) -> None:
    cooldown = Cooldown()

    async def cool() -> float:
        before = cooldown[None].remaining
        cooldown[None].cool(10)
        return before

    def run() -> weakref.ref:
        loop = virtual_loop()
        assert loop.run_until_complete(cool()) == 0
        loop.close()
        return weakref.ref(loop)

    run()
    run()
    loops = cooldown._gates
    gc.collect()
    assert len(loops) == 1


async def test_listeners_are_told_of_each_rest() -> None:
    events, error = [], TooMany(retry_after="6")
    with listen(events.append):
        Cooldown()["a"].take(error)
        Cooldown()["b"].cool()

    assert events == [CooledDown("a", 6, error), CooledDown("b", 1, None)]


async def test_no_error_waits_for_the_cyclic_collector() -> None:
    gone: list[weakref.ref] = []

    async def operation() -> None:
        if len(gone) == 3:
            return
        error = TooMany()
        gone.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    gc.collect()
    gc.disable()
    try:
        await patient(Cooldown(seconds=1)).call(operation)
        assert [ref() for ref in gone] == [None] * 3
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"cap": -1}, {"ramp": "1"}, {"on": 5}, {"seconds": float("nan")}], ids=repr
)
def test_a_cool_down_that_cannot_be_is_refused_with_what_to_write(wrong) -> None:
    with pytest.raises(UsageError, match="Write "):
        Cooldown(**wrong)


def test_what_is_no_cool_down_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Retry\(cooldown=30\): expected a Cooldown"):
        Retry(cooldown=30)
