"""Who may call, and when: in virtual time, to the millisecond."""

import asyncio
import gc
import itertools
import weakref
from collections.abc import Mapping
from typing import Any

import pytest

from unlost.batch.gate._rest import HoldTooLong, Rest
from unlost.batch.gate._throttle import Throttle
from unlost.batch.options._rates import rate_of


class TooMany(Exception):
    status = 429

    def __init__(self, **headers: str) -> None:
        super().__init__("429 Too Many Requests")
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def throttle_of(*rates: str, max_hold: float = 3600, told: Any = None) -> Throttle:
    return Throttle([rate_of(rate) for rate in rates], max_hold, told)


def now() -> float:
    return asyncio.get_running_loop().time()


async def starts(
    throttle: Throttle, count: int, key: object = None, estimate: Mapping[Any, float] | None = None
) -> list[float]:
    """Let so many calls enter, one waiting behind the other; return when each did, from now on."""
    began = now()

    async def enter() -> float:
        await throttle.enter(key, estimate or {})
        return round(now() - began, 3)

    return await asyncio.gather(*(enter() for _ in range(count)))


async def test_a_hundred_calls_go_on_at_once_without_an_await() -> None:
    throttle = throttle_of()

    tickets = [throttle.try_enter() for _ in range(100)]

    assert None not in tickets
    assert throttle.try_enter() is None


async def test_of_a_key_that_never_refused_the_window_doubles_with_its_answers() -> None:
    throttle = throttle_of()
    for _ in range(100):
        ticket = throttle.try_enter()
        assert ticket is not None
        throttle.answered(ticket)

    tickets = [throttle.try_enter() for _ in range(200)]

    assert None not in tickets
    assert throttle.try_enter() is None


async def test_a_thousand_calls_that_take_a_minute_have_all_started_within_four_seconds() -> None:
    times = await starts(throttle_of(), 1000)

    assert (times[99], times[100], times[199], times[200]) == (0, 1, 1, 2)
    assert max(times) < 4.001


async def test_a_rate_of_calls_is_an_even_pace() -> None:
    times = await starts(throttle_of("50/s"), 101)

    assert times[:3] == [0, 0.02, 0.04]
    assert times[-1] == 2


async def test_two_rates_hold_together() -> None:
    times = await starts(throttle_of("10/s", "tokens=600/min"), 4, estimate={"tokens": 5})

    assert times == [0, 0.5, 1, 1.5]


async def test_each_key_has_rates_of_its_own() -> None:
    throttle = throttle_of("1/s")

    times = await asyncio.gather(starts(throttle, 2, "a"), starts(throttle, 2, "b"))

    assert times == [[0, 1], [0, 1]]


async def test_an_estimate_above_a_whole_period_goes_on_and_those_after_it_wait() -> None:
    throttle = throttle_of("tokens=100/s")

    assert await starts(throttle, 1, estimate={"tokens": 1000}) == [0]
    assert await starts(throttle, 1, estimate={"tokens": 1}) == [10]


async def test_what_was_used_beyond_the_estimate_makes_later_calls_wait() -> None:
    throttle = throttle_of("tokens=100/s")
    ticket = await throttle.enter(None, {"tokens": 100})

    throttle.used(ticket, {"tokens": 60})
    throttle.used(ticket, {"tokens": 140})
    throttle.answered(ticket)

    assert await starts(throttle, 1, estimate={"tokens": 1}) == [2]


async def test_what_was_not_used_of_the_estimate_is_given_back_with_the_answer() -> None:
    throttle = throttle_of("tokens=100/s")
    ticket = await throttle.enter(None, {"tokens": 1000})
    waiting = asyncio.ensure_future(starts(throttle, 1, estimate={"tokens": 1}))
    await asyncio.sleep(0.5)

    throttle.used(ticket, {"input_tokens": 60, "output_tokens": 40})
    throttle.answered(ticket)

    assert await waiting == [1]


async def test_a_call_that_tells_nothing_used_what_it_estimated() -> None:
    throttle = throttle_of("tokens=100/s")
    throttle.answered(await throttle.enter(None, {"tokens": 300}))

    assert await starts(throttle, 1, estimate={"tokens": 1}) == [3]


async def test_a_refused_call_used_no_tokens() -> None:
    throttle = throttle_of("tokens=100/s")
    throttle.refused(await throttle.enter(None, {"tokens": 1000}), TooMany(retry_after="1"))

    assert await starts(throttle, 1, estimate={"tokens": 1}) == [1]


async def test_without_estimate_four_go_on_until_one_tells_and_then_the_mean_is_reserved() -> None:
    throttle = throttle_of("tokens=100/s")
    tickets = [throttle.try_enter() for _ in range(5)]
    waiting = asyncio.ensure_future(starts(throttle, 2))
    await asyncio.sleep(5)

    assert tickets[3] is not None
    assert tickets[4] is None
    assert throttle.waiting() == 2

    throttle.used(tickets[0], {"tokens": 200})
    throttle.answered(tickets[0])

    assert await waiting == [7, 9]


async def test_what_a_call_of_one_key_tells_lets_those_of_other_keys_go_on() -> None:
    throttle = throttle_of("tokens=100/s")
    tickets = [await throttle.enter(key) for key in "aaaabbbb"]
    waiting = asyncio.ensure_future(starts(throttle, 1, "b"))
    await asyncio.sleep(1)

    throttle.used(tickets[0], {"tokens": 10})
    throttle.answered(tickets[0])

    assert await waiting == [1]


async def test_a_job_that_never_tells_its_tokens_goes_on_four_at_once_and_is_counted() -> None:
    throttle = throttle_of("tokens=100/s")
    for _ in range(20):
        throttle.answered(await throttle.enter())

    assert throttle.silent == 20
    assert [throttle.try_enter() is not None for _ in range(5)] == [True, True, True, True, False]


async def test_input_tokens_have_a_rate_of_their_own() -> None:
    throttle = throttle_of("input_tokens=100/s")

    assert await starts(throttle, 2, estimate={"input_tokens": 50, "output_tokens": 900}) == [0, 0.5]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry_after": "7"}, 7), ({"retry_after_ms": "250"}, 0.25), ({}, 1)],
)
async def test_a_refusal_holds_its_key_for_as_long_as_the_server_says(headers: dict[str, str], seconds: float) -> None:
    throttle = throttle_of()
    throttle.refused(await throttle.enter("a"), TooMany(**headers))

    assert throttle.left("a") == pytest.approx(seconds)
    assert (await starts(throttle, 1, "a"))[0] == pytest.approx(seconds, abs=0.001)


async def test_another_key_is_not_held() -> None:
    throttle = throttle_of()
    throttle.refused(await throttle.enter("a"), TooMany(retry_after="7"))

    assert throttle.try_enter("b") is not None
    assert throttle.try_enter("a") is None
    assert throttle.left("b") == 0


async def test_where_nothing_is_said_rests_double_up_to_a_minute_and_one_call_goes_alone() -> None:
    throttle = throttle_of()
    waits = []
    for _ in range(8):
        began = now()
        ticket = await throttle.enter()
        waits.append(now() - began)
        throttle.refused(ticket, TooMany())

    assert [round(wait) for wait in waits] == [0, 1, 2, 4, 8, 16, 32, 60]


async def test_a_server_that_says_0_and_goes_on_refusing_is_not_believed() -> None:
    throttle = throttle_of()
    began = now()
    for _ in range(8):
        throttle.refused(await throttle.enter(), TooMany(retry_after="0"))

    assert now() - began > 30


async def test_after_a_second_rest_one_goes_alone_until_it_is_answered() -> None:
    throttle = throttle_of()
    for _ in range(2):
        throttle.refused(await throttle.enter(), TooMany(retry_after="1"))
    first = await throttle.enter()
    waiting = asyncio.ensure_future(throttle.enter())
    await asyncio.sleep(100)

    assert throttle.waiting() == 1

    throttle.answered(first)
    await waiting

    assert throttle.waiting() == 0


async def test_a_hundred_refusals_of_calls_that_were_under_way_are_one_rest() -> None:
    told: list[tuple[int, bool]] = []
    throttle = throttle_of(told=lambda rest: told.append((rest.refused, rest.ended is not None)))
    tickets = [await throttle.enter() for _ in range(100)]
    errors = [TooMany() for _ in tickets]
    for ticket, error in zip(tickets, errors, strict=True):
        throttle.refused(ticket, error)

    (rest,) = throttle.rests
    assert (rest.key, rest.refused, rest.error) == (None, 100, errors[-1])
    assert rest.until - now() == 1
    await asyncio.sleep(1.001)
    assert told == [(1, False), (100, True)]
    assert throttle.rests == ()


async def test_a_later_hint_prolongs_the_rest() -> None:
    throttle = throttle_of()
    first, second = await throttle.enter(), await throttle.enter()
    throttle.refused(first, TooMany(retry_after="2"))
    await asyncio.sleep(1)
    throttle.refused(second, TooMany(retry_after="5"))

    assert await starts(throttle, 1) == [5]


async def test_a_refusal_that_comes_after_its_rest_is_counted_there() -> None:
    told: list[int] = []
    throttle = throttle_of(told=lambda rest: told.append(rest.refused))
    first, second = await throttle.enter(), await throttle.enter()
    throttle.refused(first, TooMany())
    waiting = asyncio.ensure_future(starts(throttle, 3))
    await asyncio.sleep(1.5)
    throttle.refused(second, TooMany())

    assert told == [1, 1, 2]
    assert throttle.rests == ()
    assert len(await waiting) == 3


async def test_a_refusal_with_a_hint_that_comes_after_its_rest_holds_again() -> None:
    throttle = throttle_of()
    first, second = await throttle.enter(), await throttle.enter()
    throttle.refused(first, TooMany(retry_after="1"))
    await asyncio.sleep(1.5)
    throttle.refused(second, TooMany(retry_after="3"))

    assert await starts(throttle, 1) == [3]


async def test_after_a_rest_calls_do_not_come_as_a_burst() -> None:
    throttle = throttle_of()
    tickets = [await throttle.enter() for _ in range(20)]
    for ticket in tickets[:10]:
        throttle.answered(ticket)
    for ticket in tickets[10:]:
        throttle.refused(ticket, TooMany(retry_after="1"))

    times = await starts(throttle, 10)

    assert times[0] == 1
    assert all(0.01 < later - earlier < 0.2 for earlier, later in itertools.pairwise(times))


async def test_a_server_that_asks_for_too_much_says_so_and_holds_its_key() -> None:
    throttle = throttle_of(max_hold=60)
    ticket = await throttle.enter("a")
    error = TooMany(retry_after="21600")

    with pytest.raises(
        HoldTooLong, match=r"wait 6h for 'a', and the run waits 1m at most.*--max-hold 21600s"
    ) as caught:
        throttle.refused(ticket, error)

    assert caught.value.__cause__ is error
    assert (caught.value.seconds, caught.value.max_hold, caught.value.key) == (21600, 60, "a")
    assert throttle.left("a") == 21600
    throttle.close()


async def test_first_come_first_served() -> None:
    throttle = throttle_of("10/s")
    order: list[int] = []

    async def enter(number: int) -> None:
        await throttle.enter(None, {})
        order.append(number)

    await asyncio.gather(*(enter(number) for number in range(20)))

    assert order == list(range(20))


async def test_who_is_cancelled_leaves_its_place() -> None:
    throttle = throttle_of("1/s")
    await throttle.enter()
    first, second, third = (asyncio.ensure_future(throttle.enter()) for _ in range(3))
    await asyncio.sleep(0.5)
    first.cancel()
    began = now() - 0.5
    await second

    assert first.cancelled()
    assert now() - began == pytest.approx(1)
    await third
    assert now() - began == pytest.approx(2)


async def test_who_is_cancelled_in_the_tick_of_its_turn_gives_back_what_it_reserved() -> None:
    throttle = throttle_of("1/s")
    await throttle.enter()
    first, second = (asyncio.ensure_future(throttle.enter()) for _ in range(2))
    await asyncio.sleep(0)
    began = now()
    asyncio.get_running_loop().call_at(began + 1, first.cancel)
    await second

    assert first.cancelled()
    assert now() - began == pytest.approx(1)


async def test_the_last_in_line_is_cancelled_during_a_rest_and_the_rest_ends_all_the_same() -> None:
    told: list[Rest] = []
    throttle = throttle_of(told=told.append)
    throttle.refused(await throttle.enter(), TooMany(retry_after="5"))
    waiting = asyncio.ensure_future(throttle.enter())
    await asyncio.sleep(1)
    waiting.cancel()
    await asyncio.sleep(5)

    assert not throttle.is_waiting
    assert told[-1].ended is not None


async def test_a_call_that_was_not_made_leaves_its_place_to_the_next() -> None:
    throttle = throttle_of("1/s")
    ticket = await throttle.enter()

    throttle.unused(ticket)
    throttle.unused(ticket)

    assert await starts(throttle, 2) == [0, 1]


async def test_a_ticket_counts_once() -> None:
    throttle = throttle_of()
    ticket = await throttle.enter()
    throttle.answered(ticket)
    throttle.refused(ticket, TooMany())

    assert throttle.rests == ()


async def test_closing_ends_rests_and_leaves_no_timer() -> None:
    told: list[Rest] = []
    throttle = throttle_of(told=told.append)
    throttle.refused(await throttle.enter(), TooMany(retry_after="500"))

    throttle.close()

    assert told[-1].ended == now()
    assert throttle.rests == ()


async def test_an_error_is_not_kept_for_longer_than_its_rest() -> None:
    throttle = throttle_of()
    error = TooMany()
    gone = weakref.ref(error)
    throttle.refused(await throttle.enter(), error)
    gc.disable()
    try:
        del error
        await asyncio.sleep(2)

        assert gone() is None
    finally:
        gc.enable()


async def test_many_keys_are_forgotten_when_nothing_has_to_be_remembered_of_them() -> None:
    throttle = throttle_of()
    throttle.refused(await throttle.enter("resting"), TooMany(retry_after="500"))
    for key in range(30_000):
        throttle.answered(await throttle.enter(key))

    assert len(throttle._lanes) < 20_001
    assert throttle.left("resting") == 500
    throttle.close()
