"""An outage as a state machine, in virtual time."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from unlost.batch.gate._outage import SUSPECTS, SUSPECTS_OF_ANY, Outage, Trouble, Verdict


class Watcher:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.is_alone = self.more = False

    def outage_began(self, trouble: Trouble) -> None:
        self.told.append("began")

    def outage_goes_on(self, trouble: Trouble) -> None:
        self.told.append("goes on")

    def outage_ended(self, trouble: Trouble) -> None:
        self.told.append(f"ended after {trouble.failed}")

    def outage_too_long(self, trouble: Trouble) -> None:
        self.told.append("too long")

    def alone(self) -> bool:
        return self.is_alone

    def has_more(self) -> bool:
        return self.more


def fingerprint(error: BaseException) -> str:
    return str(error)


def outage_of(watcher: Watcher, longest: float | None = None) -> Outage:
    return Outage(watcher, fingerprint, longest, chance=lambda: 0.0)


def fail(outage: Outage, what: str = "down", *, was_probe: bool = False) -> asyncio.Task[Verdict]:
    return asyncio.ensure_future(outage.failed(ConnectionError(what), was_probe=was_probe))


async def settled(*tasks: asyncio.Task[Verdict]) -> list[Verdict | None]:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return [task.result() if task.done() else None for task in tasks]


async def out(outage: Outage) -> list[asyncio.Task[Verdict]]:
    tasks = [fail(outage) for _ in range(SUSPECTS)]
    await asyncio.sleep(0)
    return tasks


async def test_a_success_lets_the_failures_before_it_stand() -> None:
    outage = outage_of(Watcher())
    tasks = [fail(outage) for _ in range(SUSPECTS - 1)]
    open_before = await settled(*tasks)

    outage.succeeded()

    assert open_before == [None] * (SUSPECTS - 1)
    assert await settled(*tasks) == [Verdict.STANDS] * (SUSPECTS - 1)


async def test_failures_of_several_fingerprints_wait_side_by_side_and_stand_when_something_succeeds() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    tasks = [fail(outage, what) for what in ["reset"] * (SUSPECTS - 1) + ["refused"] * (SUSPECTS - 1)]
    open_before = await settled(*tasks)

    outage.succeeded()

    assert open_before == [None] * len(tasks)
    assert await settled(*tasks) == [Verdict.STANDS] * len(tasks)
    assert watcher.told == []


@pytest.mark.parametrize("reset", [1, SUSPECTS - 1])
async def test_what_was_under_way_when_a_network_was_lost_fails_in_another_way_and_gets_its_attempt_back_too(
    reset: int,
) -> None:
    outage = outage_of(Watcher())
    tasks = [fail(outage, what) for what in ["reset"] * reset + ["refused"] * SUSPECTS]
    first, *others = tasks
    assert await first is Verdict.PROBE

    outage.succeeded(was_probe=True)

    assert await settled(*others) == [Verdict.AGAIN] * len(others)


async def test_an_answer_that_was_under_way_when_a_network_was_lost_lets_no_later_failure_stand() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(0.1)
    reset = [fail(outage, "reset") for _ in range(SUSPECTS - 1)]
    await settled(*reset)

    outage.succeeded(began=began)
    refused = [fail(outage, "refused") for _ in range(SUSPECTS)]
    await settled(*refused)
    outage.succeeded(began=began)

    assert await settled(*reset, *refused) == [None] * (2 * SUSPECTS - 1)
    assert watcher.told == ["began"]
    outage.close()


async def test_failures_between_answers_are_no_outage_and_stand_when_a_later_call_is_answered() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(0.1)
    tasks = []
    for _ in range(SUSPECTS + 5):
        tasks.append(fail(outage))
        await asyncio.sleep(0)
        outage.succeeded(began=began)
    open_before = await settled(*tasks)

    outage.succeeded(began=loop.time())

    assert open_before == [None] * len(tasks)
    assert await settled(*tasks) == [Verdict.STANDS] * len(tasks)
    assert watcher.told == []


async def test_where_no_new_item_can_show_it_what_was_answered_meanwhile_makes_the_first_look_the_last() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(0.1)
    first, *others = await out(outage)
    outage.succeeded(began=began)
    assert await first is Verdict.PROBE

    assert await fail(outage, was_probe=True) is Verdict.ONCE_MORE
    assert await settled(*others) == [Verdict.ONCE_MORE] * len(others)
    assert watcher.told[-1].startswith("ended")


async def test_many_failures_of_any_fingerprint_and_nothing_else_are_an_outage() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    tasks = [fail(outage, f"error {number}") for number in range(SUSPECTS_OF_ANY)]

    assert await settled(*tasks) == [None] * SUSPECTS_OF_ANY
    assert watcher.told == ["began"]
    outage.close()


async def test_the_twentieth_of_one_fingerprint_is_an_outage_and_none_of_them_stands() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    tasks = await out(outage)

    assert await settled(*tasks) == [None] * SUSPECTS
    assert watcher.told == ["began"]
    outage.close()


async def test_items_that_have_failed_before_make_no_outage_and_are_not_parked_without_bound() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    again = [
        asyncio.ensure_future(outage.failed(ConnectionError("down"), was_probe=False, is_first=False))
        for _ in range(SUSPECTS + 5)
    ]
    verdicts = await settled(*again)

    first = await out(outage)

    assert verdicts == [Verdict.STANDS] * 5 + [None] * SUSPECTS
    assert await settled(*again) == [Verdict.STANDS] * (SUSPECTS + 5)
    assert (await settled(*first), watcher.told) == ([None] * SUSPECTS, ["began"])
    outage.close()


async def test_probes_go_round_at_growing_intervals() -> None:
    outage = outage_of(Watcher())
    loop = asyncio.get_running_loop()
    waiting = dict(enumerate(await out(outage)))
    probes = []
    for _ in range(8):
        await asyncio.wait(waiting.values(), return_when=asyncio.FIRST_COMPLETED)
        [number] = [number for number, task in waiting.items() if task.done()]
        assert waiting[number].result() is Verdict.PROBE
        probes.append((number, loop.time()))
        waiting[number] = fail(outage, was_probe=True)
        await asyncio.sleep(0)

    times = [time for _number, time in probes]
    assert [number for number, _time in probes] == list(range(8))
    assert [round(later - earlier) for earlier, later in itertools.pairwise(times)] == [
        2,
        4,
        8,
        16,
        32,
        60,
        60,
    ]
    outage.close()


async def test_a_probe_that_succeeds_gives_all_of_them_their_attempt_back() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    first, *others = await out(outage)
    assert await first is Verdict.PROBE

    outage.succeeded(was_probe=True)

    assert await settled(*others) == [Verdict.AGAIN] * (SUSPECTS - 1)
    assert (watcher.told, outage.is_calm) == (["began", f"ended after {SUSPECTS}"], True)


async def test_a_probe_of_another_transient_error_does_not_end_it() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    first, second, *others = await out(outage)
    assert await first is Verdict.PROBE

    again = fail(outage, "another", was_probe=True)

    assert await settled(again, second, *others) == [None] * SUSPECTS
    assert watcher.told == ["began", "goes on"]
    assert await second is Verdict.PROBE
    outage.close()


async def test_a_cancelled_probe_is_followed_by_another() -> None:
    outage = outage_of(Watcher())
    first, second, *_others = await out(outage)
    assert await first is Verdict.PROBE

    outage.unanswered()

    assert await second is Verdict.PROBE
    outage.close()


async def test_where_nobody_is_parked_the_next_call_is_the_probe() -> None:
    outage = outage_of(Watcher())
    for task in await out(outage):
        task.cancel()
    await asyncio.sleep(2)
    wants = outage.wants_probe

    outage.grant()

    assert wants
    assert await outage.arrived() is Verdict.PROBE
    outage.close()


async def test_it_is_told_when_it_lasts_too_long() -> None:
    watcher = Watcher()
    outage = outage_of(watcher, longest=0.5)
    tasks = await out(outage)

    await asyncio.sleep(0.6)

    assert watcher.told == ["began", "too long"]
    outage.stop()
    assert await settled(*tasks) == [Verdict.GIVEN_BACK] * SUSPECTS
    outage.close()


async def test_failures_stand_where_nothing_else_can_happen() -> None:
    watcher = Watcher()
    outage = outage_of(watcher)
    tasks = [fail(outage) for _ in range(3)]
    before = await settled(*tasks)

    watcher.is_alone = True
    outage.look_around()

    assert before == [None] * 3
    assert await settled(*tasks) == [Verdict.STANDS] * 3


async def test_each_third_look_is_a_new_item_and_if_that_succeeds_the_parked_have_one_more_try() -> None:
    watcher = Watcher()
    watcher.more = True
    outage = outage_of(watcher)
    tasks = await out(outage)
    for number in range(2):
        assert await tasks[number] is Verdict.PROBE
        tasks.append(fail(outage, was_probe=True))
    await asyncio.sleep(5)

    assert outage.wants_probe
    assert await outage.arrived() is Verdict.PROBE
    outage.succeeded(was_probe=True)
    assert await settled(*tasks[2:]) == [Verdict.ONCE_MORE] * SUSPECTS


async def test_where_there_is_no_new_item_after_all_one_of_the_parked_looks() -> None:
    watcher = Watcher()
    watcher.more = True
    outage = outage_of(watcher)
    tasks = await out(outage)
    for number in range(2):
        assert await tasks[number] is Verdict.PROBE
        tasks.append(fail(outage, was_probe=True))
    await asyncio.sleep(5)

    outage.exhausted()

    assert await tasks[2] is Verdict.PROBE
