import asyncio
from contextvars import ContextVar

import pytest

from unlost._core import Cancelled, Failure, Value, partial, settle
from unlost.errors import ChildCancelled, UsageError

variable = ContextVar("variable", default="untouched")


async def value(it, after=0):
    await asyncio.sleep(after)
    return it


async def failure(after=0):
    await asyncio.sleep(after)
    raise OSError("failed")


async def test_there_is_one_outcome_for_each_in_the_order_given():
    outcomes = await settle(value(1, after=3), failure(after=2), value(3))

    assert [type(outcome) for outcome in outcomes] == [Value, Failure, Value]
    assert [outcome.index for outcome in outcomes] == [0, 1, 2]


async def test_all_run_at_once():
    before = asyncio.get_running_loop().time()
    await settle(*(value(1, after=1) for _ in range(1000)))

    assert asyncio.get_running_loop().time() - before == pytest.approx(1)


async def test_coroutines_tasks_futures_and_functions_may_be_mixed():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(1, future.set_result, 3)
    task = asyncio.create_task(value(2))

    assert (await settle(value(1), task, future, lambda: value(4))).values() == [1, 2, 3, 4]


async def test_nothing_gives_nothing():
    assert await settle() == []


async def test_all_are_started_in_one_turn_of_the_loop():
    started = []

    async def start(number):
        started.append(number)
        await asyncio.sleep(1)

    settling = asyncio.create_task(settle(*(start(number) for number in range(100))))
    for _ in range(2):
        await asyncio.sleep(0)

    assert started == list(range(100))
    await settling


async def test_each_has_its_own_task():
    async def which():
        return asyncio.current_task()

    outcomes = await settle(*(which() for _ in range(10)))

    assert len(set(outcomes.values())) == 10


async def test_each_has_its_own_context():
    async def change(to):
        variable.set(to)
        await asyncio.sleep(1)
        return variable.get()

    outcomes = await settle(change(1), change(2))

    assert outcomes.values() == [1, 2]
    assert variable.get() == "untouched"


async def test_a_task_that_is_cancelled_from_elsewhere_is_not_the_callers_cancellation():
    task = asyncio.create_task(value(1, after=1000))
    asyncio.get_running_loop().call_later(1, task.cancel, "unwanted")

    cancelled, other = await settle(task, value(2, after=5))

    assert isinstance(cancelled, Cancelled)
    assert other.value == 2
    with pytest.raises(ChildCancelled, match="unwanted"):
        cancelled.unwrap()


async def test_the_callers_cancellation_cancels_all_and_carries_what_had_ended():
    task = asyncio.create_task(value(1, after=1000))
    calling = asyncio.create_task(settle(value(0), failure(), task, value(3, after=1000)))
    await asyncio.sleep(1)
    calling.cancel("enough")

    with pytest.raises(asyncio.CancelledError, match="enough") as caught:
        await calling
    assert [type(outcome) for outcome in partial(caught.value)] == [Value, Failure, Cancelled, Cancelled]
    assert task.cancelled()
    assert calling.cancelling() == 1
    assert caught.value.__context__ is None


async def test_what_was_stopped_before_its_first_step_is_closed():
    async def stops():
        raise SystemExit

    never_started = value(1)

    with pytest.raises(SystemExit) as caught:
        await settle(stops(), never_started)
    (unstarted,) = partial(caught.value)
    assert (unstarted.index, unstarted.attempts) == (1, 0)
    assert unstarted.reason == "not started: SystemExit was raised in unlost.settle"
    with pytest.raises(RuntimeError, match="cannot reuse"):
        await never_started


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
async def test_a_stopping_exception_comes_out_bare_after_the_others_have_ended(fatal, capfd):
    ended = []

    async def stops():
        await asyncio.sleep(1)
        raise fatal

    async def runs():
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(True)

    with pytest.raises(fatal) as caught:
        await settle(runs(), stops(), failure())

    assert ended == [True]
    assert [outcome.index for outcome in partial(caught.value)] == [0, 2]
    assert "OSError: failed" in capfd.readouterr().err


async def test_what_can_neither_be_awaited_nor_called_is_told_before_anything_starts():
    with pytest.raises(UsageError, match="neither awaited nor called"):
        await settle(value(1), 5)


async def test_a_list_is_told_to_use_the_star():
    operation = value(1)
    with pytest.raises(UsageError, match="with the star"):
        await settle([operation])
    operation.close()


async def test_a_function_that_returns_no_awaitable_is_told():
    (outcome,) = await settle(lambda: 5)

    assert isinstance(outcome.error, UsageError)
    assert str(outcome.error).startswith("unlost.settle(<lambda>) needs an async function; <lambda>(...) returned 5.")
