"""A limit in the place of ``asyncio.Timeout``: its clock, its states, its words. Its own tests are run besides."""

import asyncio
import math
import pickle

import pytest

from unlost.errors import DeadlineExceeded, UsageError
from unlost.policies import Deadline, deadline_at, timeout, timeout_at
from unlost.policies._deadline_misuse import DeadlineStateError


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("made_by", [timeout_at, deadline_at, Deadline])
async def test_a_time_of_the_loops_clock_is_a_limit(made_by) -> None:
    await asyncio.sleep(5)

    with pytest.raises(DeadlineExceeded) as caught:
        async with made_by(8, "until eight") as limit:
            assert (limit.when(), limit.seconds) == (8, 3)
            await asyncio.sleep(60)

    assert (caught.value.seconds, caught.value.elapsed, caught.value.name) == (3, 3, "until eight")
    assert now() == 8


async def test_a_time_that_has_passed_fires_at_the_first_await() -> None:
    await asyncio.sleep(5)

    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout_at(2):
            await asyncio.sleep(0)

    assert (caught.value.seconds, caught.value.elapsed) == (-3, 0)


@pytest.mark.parametrize(("made_by", "name"), [(timeout_at, "timeout"), (deadline_at, "deadline")])
async def test_names_are_those_of_the_calls(made_by, name: str) -> None:
    assert made_by(8).name == name


async def test_seconds_count_from_the_call_as_in_asyncio() -> None:
    limit = timeout(10)
    await asyncio.sleep(6)

    with pytest.raises(DeadlineExceeded) as caught:
        async with limit:
            await asyncio.sleep(60)

    assert now() == 10
    assert (caught.value.seconds, caught.value.elapsed) == (10, 10)


@pytest.mark.parametrize(("when", "fires_at"), [(3, 3), (20, 20), (0, 1), (-1, 1)])
async def test_another_time_takes_the_first_ones_place(when: float, fires_at: float) -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(10) as limit:
            await asyncio.sleep(1)
            limit.reschedule(when)
            await asyncio.sleep(60)

    assert now() == fires_at
    assert (caught.value.seconds, caught.value.elapsed) == (when, fires_at)
    assert limit.when() == when


@pytest.mark.parametrize("when", [None, math.inf])
async def test_a_limit_can_be_lifted(when: float | None) -> None:
    async with timeout(10) as limit:
        limit.reschedule(when)
        await asyncio.sleep(60)

    assert limit.when() == when
    assert not limit.expired()


async def test_another_task_may_give_more_time() -> None:
    async def limited() -> None:
        async with timeout(1) as limit:
            limits.append(limit)
            await asyncio.sleep(5)

    limits: list[Deadline] = []
    task = asyncio.create_task(limited())
    await asyncio.sleep(0)
    limits[0].reschedule(9)

    await task
    assert now() == 5


async def test_a_new_time_that_is_no_number_changes_nothing() -> None:
    async with timeout(10) as limit:
        with pytest.raises(UsageError, match="timeout at '3': expected a time of the loop's clock"):
            limit.reschedule("3")

        assert limit.when() == 10


@pytest.mark.parametrize("name", ["timeout", "fetch timeout"])
async def test_the_state_is_shown_in_asyncios_form(name: str) -> None:
    shown = []

    limit = timeout(1.23456, name)
    shown.append(repr(limit))
    async with limit:
        shown.append(repr(limit))
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)
        shown.append(repr(limit))
    shown.append(repr(limit))
    async with timeout(None, name) as limit:
        shown.append(repr(limit))
    shown.append(repr(limit))

    called = "" if name == "timeout" else " 'fetch timeout'"
    states = ["created", "active] when=1.235", "expiring", "expired", "active] when=None", "finished"]
    assert shown == [f"<Timeout{called} [{state}{'' if ']' in state else ']'}>" for state in states]


async def test_what_its_state_does_not_allow_is_both_errors_and_says_what_to_write() -> None:
    limit = timeout(1)
    with pytest.raises(RuntimeError, match="Timeout has not been entered") as before:
        limit.reschedule(5)
    async with limit:
        with pytest.raises(RuntimeError, match="has already been entered"):
            await limit.__aenter__()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)
        with pytest.raises(RuntimeError, match="Cannot change state of expiring Timeout"):
            limit.reschedule(5)
    with pytest.raises(RuntimeError, match="Cannot change state of expired Timeout") as after:
        limit.reschedule(5)

    assert isinstance(before.value, UsageError)
    assert isinstance(after.value, UsageError)
    assert "Write limit.reschedule(when) inside of its block" in str(after.value)


async def test_without_a_task_it_says_what_to_write_and_can_still_be_entered() -> None:
    limit = timeout(1)
    refused = asyncio.get_running_loop().create_future()

    def enter() -> None:
        try:
            limit.__aenter__().send(None)
        except RuntimeError as refusal:
            refused.set_result(refusal)

    asyncio.get_running_loop().call_soon(enter)

    assert "Timeout should be used inside a task" in str(await refused)
    async with limit:
        pass


async def test_a_block_that_was_never_entered_or_was_left_before_cannot_be_left() -> None:
    never, before = timeout(1), timeout(1)
    async with before:
        pass

    for limit in (never, before):
        with pytest.raises(RuntimeError, match="Timeout has not been entered, or was left before"):
            await limit.__aexit__(None, None, None)


def test_the_error_of_a_wrong_state_pickles() -> None:
    assert repr(pickle.loads(pickle.dumps(DeadlineStateError("text")))) == "DeadlineStateError('text')"
