import asyncio
from contextvars import ContextVar

import pytest

from unlost._core import Cancelled, Failure, Value, map, partial  # noqa: A004
from unlost.errors import ChildCancelled, UsageError


async def double(item):
    await asyncio.sleep(0)
    return item * 2


async def numbers(count):
    for number in range(count):
        yield number


async def test_there_is_one_outcome_for_each_item_in_input_order():
    async def slow_first(item):
        await asyncio.sleep(10 - item)
        return item

    outcomes = await map(slow_first, range(10), limit=10)

    assert outcomes.values() == list(range(10))
    assert [outcome.index for outcome in outcomes] == list(range(10))


async def test_a_failing_item_stops_nothing():
    async def odd_fails(item):
        await asyncio.sleep(0)
        if item % 2:
            raise KeyError(item)
        return item

    outcomes = await map(odd_fails, range(6), limit=2)

    assert [type(outcome) for outcome in outcomes] == [Value, Failure] * 3
    assert [failure.error.args for failure in outcomes.failures] == [(1,), (3,), (5,)]


async def test_the_traceback_of_a_failure_begins_in_the_users_code():
    async def fails(item):
        raise ValueError(item)

    (outcome,) = await map(fails, [1], limit=1)

    assert outcome.error.__traceback__.tb_frame.f_code.co_name == "fails"


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
@pytest.mark.parametrize("isolate", ["worker", "task"])
@pytest.mark.parametrize("source", [range, numbers])
async def test_limit_is_reached_and_never_exceeded(limit, isolate, source):
    running = most = 0

    async def job(item):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1)
        running -= 1

    await map(job, source(50), limit=limit, isolate=isolate)

    assert most == min(limit, 50)


async def test_few_items_start_few_workers():
    async def job(item):
        count = len(asyncio.all_tasks())
        await asyncio.sleep(1)
        return count

    outcomes = await map(job, range(3), limit=1000)

    assert max(outcomes.values()) <= 3 * 3 + 1


async def test_an_iterator_is_pulled_only_when_a_worker_is_free():
    pulled = []
    started = []

    def source():
        for item in range(20):
            pulled.append(item)
            yield item

    async def job(item):
        started.append(item)
        await asyncio.sleep(1)
        return len(pulled) - len(started)

    outcomes = await map(job, source(), limit=4)

    assert max(outcomes.values()) == 0


async def test_an_async_iterator_is_pulled_only_when_a_worker_is_free():
    pulled = []
    started = []

    async def source():
        for item in range(20):
            await asyncio.sleep(0)
            pulled.append(item)
            yield item

    async def job(item):
        started.append(item)
        await asyncio.sleep(1)
        return len(pulled) - len(started)

    outcomes = await map(job, source(), limit=4)

    assert max(outcomes.values()) <= 0


async def test_items_are_started_in_input_order():
    started = []

    async def job(item):
        started.append(item)
        await asyncio.sleep(item % 3)

    await map(job, numbers(50), limit=5)

    assert started == list(range(50))


async def test_an_async_generator_sees_one_task_and_one_context_and_is_closed_there():
    tasks = []
    variable = ContextVar("variable")

    async def source():
        variable.set("mine")
        try:
            async with asyncio.timeout(1000):
                for item in range(5):
                    tasks.append(asyncio.current_task())
                    yield item
        finally:
            tasks.append(asyncio.current_task())
            assert variable.get() == "mine"

    outcomes = await map(double, source(), limit=2)

    assert outcomes.values() == [0, 2, 4, 6, 8]
    assert len(tasks) == 6
    assert len(set(tasks)) == 1
    assert tasks[0] is not asyncio.current_task()


async def test_a_sync_iterator_keeps_its_own_context():
    variable = ContextVar("variable", default="untouched")

    def source():
        for item in range(3):
            assert variable.get() in ("untouched", item - 1)
            variable.set(item)
            yield item

    async def job(item):
        return variable.get()

    outcomes = await map(job, source(), limit=1)

    assert outcomes.values() == ["untouched"] * 3
    assert variable.get() == "untouched"


@pytest.mark.parametrize("items", [[], (), numbers(0)])
async def test_no_items_give_no_outcomes(items):
    assert await map(double, items, limit=3) == []


async def test_the_old_iteration_protocol_is_enough():
    class Old:
        def __getitem__(self, index):
            if index > 2:
                raise IndexError
            return index

    assert (await map(double, Old(), limit=2)).values() == [0, 2, 4]


async def test_durations_are_the_loops():
    async def job(item):
        await asyncio.sleep(item)

    outcomes = await map(job, [1, 2, 3], limit=1)

    assert [outcome.duration for outcome in outcomes] == pytest.approx([1, 2, 3])


async def test_a_function_that_never_suspends_does_not_starve_the_loop():
    turns = 0

    async def count_turns():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def job(item):
        return item

    counting = asyncio.create_task(count_turns())
    await map(job, range(1000), limit=10)
    counting.cancel()

    assert turns >= 100


async def test_an_awaitable_that_is_no_coroutine_will_do():
    def job(item):
        future = asyncio.get_running_loop().create_future()
        future.set_result(item)
        return future

    assert (await map(job, [1, 2], limit=2)).values() == [1, 2]


class Odd(BaseException):
    pass


@pytest.mark.parametrize("error", [Odd(), GeneratorExit(), StopAsyncIteration(), ExceptionGroup("g", [OSError()])])
async def test_any_other_exception_is_a_failure(error):
    async def job(item):
        raise error

    (outcome,) = await map(job, [1], limit=1)

    assert outcome.error is error


async def test_a_call_that_raises_before_it_can_be_awaited_is_a_failure():
    def job(item):
        raise StopIteration(item)

    outcomes = await map(job, [1, 2], limit=1)

    assert [type(failure.error) for failure in outcomes.failures] == [StopIteration] * 2


async def test_an_exception_returned_as_a_value_is_a_value():
    async def job(item):
        return ValueError(item)

    (outcome,) = await map(job, [1], limit=1)

    assert isinstance(outcome, Value)


async def test_an_item_cancelled_from_elsewhere_is_cancelled_and_the_caller_is_not():
    async def job(item):
        if item == 1:
            asyncio.current_task().cancel("by itself")
        await asyncio.sleep(1)
        return item

    outcomes = await map(job, range(3), limit=1)

    match outcomes[1]:
        case Cancelled(error):
            assert error.args == ("by itself",)
    assert outcomes[1].reason == "by itself"
    assert [outcomes[0].value, outcomes[2].value] == [0, 2]
    with pytest.raises(ExceptionGroup, match="1 of 3 failed") as caught:
        outcomes.values()
    assert isinstance(caught.value.exceptions[0], ChildCancelled)
    assert asyncio.current_task().cancelling() == 0


async def test_values_attaches_the_outcomes_to_its_group():
    async def job(item):
        return 1 / item

    outcomes = await map(job, [0, 1], limit=1)

    with pytest.raises(ExceptionGroup) as caught:
        outcomes.values()
    assert partial(caught.value) == outcomes


async def test_release_frames_lets_the_locals_go_and_keeps_the_traceback():
    async def job(item):
        secret = "a large object"
        raise ValueError(item, len(secret))

    (outcome,) = await map(job, [1], limit=1, release_frames=True)

    frame = outcome.error.__traceback__.tb_frame
    assert frame.f_code.co_name == "job"
    assert "secret" not in frame.f_locals


def sync_function(item):
    return item


async def generator_function(item):
    yield item


@pytest.mark.parametrize(
    ("func", "text"),
    [
        (sync_function, r"sync_function\(item\) returned 0\.\nWrite async def sync_function; .*to_thread"),
        (generator_function, "generator_function is an async generator function"),
        (len, "Write"),
        (None, "got None where it needs a function"),
    ],
)
async def test_a_function_that_cannot_be_awaited_is_told_on_the_first_item(func, text):
    started = 0

    def items():
        nonlocal started
        for item in ["0"] * 5 if func is len else range(5):
            started += 1
            yield item

    with pytest.raises(UsageError, match=text):
        await map(func, items(), limit=3)
    assert started <= 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_the_note_about_the_input_is_not_put_on_a_mistake_in_the_call():
    with pytest.raises(UsageError) as caught:
        await map(sync_function, [1], limit=1)
    assert not hasattr(caught.value, "__notes__")


async def test_a_function_that_cannot_be_awaited_for_a_later_item_fails_that_item():
    def job(item):
        return item if item == 1 else double(item)

    outcomes = await map(job, range(3), limit=1)

    assert isinstance(outcomes[1].error, UsageError)
    assert [outcomes[0].value, outcomes[2].value] == [0, 4]


async def test_a_type_error_of_the_users_own_is_no_usage_error():
    async def job(item, other):
        """Cannot be called with one item."""

    (outcome,) = await map(job, [1], limit=1)

    assert type(outcome.error) is TypeError


async def test_coroutines_in_the_wrong_place_are_told_and_closed():
    with pytest.raises(UsageError, match=r"Write map\(double, items"):
        await map(double(1), [1], limit=1)
    with pytest.raises(UsageError, match="has to be awaited first"):
        await map(double, double(1), limit=1)
    with pytest.raises(UsageError, match="cannot be iterated"):
        await map(double, 5, limit=1)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "3", None, True])
async def test_limit_must_be_a_whole_number_of_at_least_one(limit):
    with pytest.raises(UsageError, match="limit="):
        await map(double, [1], limit=limit)


async def test_isolate_has_two_values():
    with pytest.raises(UsageError, match='isolate="task"'):
        await map(double, [1], limit=1, isolate="process")


async def test_outcomes_are_pulled_from_what_is_both_sorts_of_iterable_asynchronously():
    class Both:
        def __iter__(self):
            raise AssertionError

        def __aiter__(self):
            return numbers(3)

    assert (await map(double, Both(), limit=1)).values() == [0, 2, 4]
