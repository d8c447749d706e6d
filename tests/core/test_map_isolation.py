"""What one item leaves behind in its task does not meet the next one."""

import asyncio
from contextvars import Context, ContextVar

import pytest

from unlost._core import Cancelled, Failure, Value, map  # noqa: A004
from unlost._core.pool._isolation import spent_check

variable = ContextVar("variable", default="untouched")


async def test_a_context_variable_does_not_leak_into_the_next_item():
    async def job(item):
        seen = variable.get()
        variable.set(item)
        await asyncio.sleep(0)
        return seen

    outcomes = await map(job, range(20), limit=3)

    assert outcomes.values() == ["untouched"] * 20
    assert variable.get() == "untouched"


async def test_items_start_with_the_callers_context():
    variable.set("the caller's")

    async def job(item):
        return variable.get()

    async def source():
        yield variable.get()

    assert (await map(job, [1, 2], limit=1)).values() == ["the caller's"] * 2
    assert (await map(_identity, source(), limit=1)).values() == ["the caller's"]


async def _identity(item):
    return item


class Liar:
    """Claims to be equal to everything."""

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


async def test_a_changed_value_is_told_by_identity_even_if_it_claims_to_be_equal():
    first = Liar()
    variable.set(first)

    async def job(item):
        seen = variable.get()
        variable.set(Liar())
        return seen

    outcomes = await map(job, range(3), limit=1)

    assert all(value is first for value in outcomes.values())


async def test_a_values_own_eq_is_never_called():
    class Explosive:
        def __eq__(self, other):
            raise AssertionError("compared")

        def __hash__(self):
            return 0

    variable.set(Explosive())

    async def job(item):
        variable.set(Explosive())

    outcomes = await map(job, range(3), limit=1)

    assert outcomes.failures == []


async def test_a_worker_whose_item_left_nothing_behind_is_used_again():
    async def job(item):
        token = variable.set(item)
        await asyncio.sleep(0)
        variable.reset(token)
        async with asyncio.timeout(1):
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.sleep(1)
        return asyncio.current_task()

    variable.set("something")
    outcomes = await map(job, range(20), limit=2)

    assert len(set(outcomes.values())) == 2


async def test_a_cancellation_left_pending_does_not_meet_the_next_item():
    async def job(item):
        if item % 2 == 0:
            asyncio.current_task().cancel()
            return item
        await asyncio.sleep(0)
        return item

    outcomes = await map(job, range(10), limit=1)

    assert outcomes.values() == list(range(10))


async def test_a_cancellation_withdrawn_too_late_does_not_meet_the_next_item():
    # on 3.11 and 3.12 uncancel() lowers the count only: the cancellation is still delivered
    async def job(item):
        await asyncio.sleep(0)
        if item % 2 == 0:
            asyncio.current_task().cancel()
            asyncio.current_task().uncancel()
        return item

    outcomes = await map(job, range(10), limit=2)

    assert outcomes.values() == list(range(10))


async def test_a_swallowed_cancellation_does_not_count_against_the_next_item():
    async def job(item):
        if item % 2 == 0:
            asyncio.current_task().cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.sleep(0)
        return asyncio.current_task().cancelling()

    outcomes = await map(job, range(4), limit=1)

    assert outcomes.values() == [1, 0, 1, 0]


@pytest.mark.parametrize("variables", [0, 1, 5])
async def test_the_check_knows_what_was_left_behind(variables):
    origin = Context()
    for number in range(variables):
        origin.run(ContextVar(f"v{number}").set, number)
    untouched, set_one, set_two = origin.copy(), origin.copy(), origin.copy()
    set_one.run(variable.set, 1)
    token = set_two.run(variable.set, 2)
    set_two.run(variable.reset, token)
    task = asyncio.current_task()

    assert not spent_check(task, untouched, origin)()
    assert spent_check(task, set_one, origin)()
    assert not spent_check(task, set_two, origin)()
    assert spent_check(task, Context(), origin)() == (variables > 0)


async def _leaves_a_cancellation_for_later(item):
    if item == 0:
        asyncio.get_running_loop().call_later(1.5, asyncio.current_task().cancel)
    await asyncio.sleep(1)
    return item


async def test_a_cancellation_left_for_later_meets_another_item_of_the_same_worker():
    # Python cannot tell one from the other: this is what isolate="task" is for
    outcomes = await map(_leaves_a_cancellation_for_later, range(4), limit=1)

    assert [type(outcome) for outcome in outcomes] == [Value, Cancelled, Value, Value]


async def test_a_cancellation_left_for_later_meets_nobody_where_each_item_has_its_own_task():
    outcomes = await map(_leaves_a_cancellation_for_later, range(4), limit=1, isolate="task")

    assert outcomes.values() == [0, 1, 2, 3]


@pytest.mark.parametrize("limit", [1, 3])
async def test_each_item_has_its_own_task_on_request(limit):
    tasks = []

    async def job(item):
        tasks.append(asyncio.current_task())
        await asyncio.sleep(item % 2)

    await map(job, range(10), limit=limit, isolate="task")

    assert len(set(tasks)) == 10


async def test_a_cancellation_that_meets_an_idle_worker_costs_no_item():
    gate = asyncio.Event()

    async def source():
        yield 0
        await gate.wait()
        for item in range(1, 5):
            yield item

    async def meddle():
        await asyncio.sleep(1)
        for task in asyncio.all_tasks():
            if task.get_name() == "unlost.map(_identity)":
                task.cancel()
        await asyncio.sleep(1)
        gate.set()

    meddling = asyncio.create_task(meddle())
    outcomes = await map(_identity, source(), limit=3)
    await meddling

    assert outcomes.values() == [0, 1, 2, 3, 4]


async def test_an_item_that_a_worker_was_woken_for_in_the_moment_of_its_cancellation_is_not_lost():
    async def source():
        for item in range(5):
            await asyncio.sleep(1)
            for task in asyncio.all_tasks():
                if task.get_name() == "unlost.map(_identity)" and item == 2:
                    asyncio.get_running_loop().call_soon(task.cancel)
            yield item

    outcomes = await map(_identity, source(), limit=3)

    assert outcomes.values() == [0, 1, 2, 3, 4]


async def test_a_failure_inside_an_except_block_of_the_caller_keeps_its_own_context():
    async def job(item):
        try:
            raise KeyError("inner")
        except KeyError:
            raise ValueError("outer")  # noqa: B904

    try:
        raise OSError("the caller's")
    except OSError:
        (outcome,) = await map(job, [1], limit=1)

        with pytest.raises(ValueError, match="outer") as caught:
            outcome.unwrap()
    assert isinstance(outcome, Failure)
    assert isinstance(caught.value.__context__, KeyError)
