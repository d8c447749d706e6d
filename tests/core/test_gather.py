import asyncio

import pytest

from unlost._core import Cancelled, Value, gather, partial, report_to
from unlost.errors import ChildCancelled, UsageError


async def value(result, after=0):
    await asyncio.sleep(after)
    return result


async def failing(error, after=0):
    await asyncio.sleep(after)
    raise error


async def fails_when_cancelled(error):
    try:
        await asyncio.sleep(1000)
    finally:
        raise error


async def test_values_come_in_the_order_given():
    assert await gather(value(1, after=2), value("two", after=1), lambda: value(3.0)) == (1, "two", 3.0)


async def test_nothing_given_is_an_empty_tuple():
    assert await gather() == ()


async def test_everything_runs_at_once():
    loop = asyncio.get_running_loop()
    began = loop.time()

    await gather(*(value(n, after=10) for n in range(5)))

    assert loop.time() - began == pytest.approx(10, abs=0.5)


async def test_the_first_failure_cancels_the_siblings_and_waits_for_them():
    ended = []

    async def sibling():
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(3)
            ended.append("sibling")

    with pytest.raises(ExceptionGroup) as caught:
        await gather(sibling(), failing(OSError("gone"), after=1))

    assert ended == ["sibling"]
    assert [repr(error) for error in caught.value.exceptions] == ["OSError('gone')"]


async def test_every_failure_is_in_the_group_as_the_object_it_was_raised_as():
    first, second, third = OSError(1), ValueError(2), KeyError(3)

    with pytest.raises(ExceptionGroup, match="3 of 4 failed") as caught:
        await gather(fails_when_cancelled(first), failing(second), failing(third), value(4, after=1000))

    assert caught.value.exceptions == (first, second, third)
    assert caught.value.__context__ is None


async def test_values_that_were_there_by_then_travel_with_the_group():
    with pytest.raises(ExceptionGroup) as caught:
        await gather(value("there"), failing(OSError(), after=1), value("never", after=1000))

    there, failed, stopped = partial(caught.value)
    assert there.value == "there"
    assert isinstance(failed.error, OSError)
    assert isinstance(stopped, Cancelled)
    assert stopped.reason == "a sibling failed: OSError"


async def test_one_that_was_cancelled_from_elsewhere_is_no_cancellation_of_the_caller():
    task = asyncio.create_task(value(1, after=1000))
    asyncio.get_running_loop().call_later(1, task.cancel, "unwanted")

    with pytest.raises(ExceptionGroup) as caught:
        await gather(task, value(2, after=1000))

    (child_cancelled,) = caught.value.exceptions
    assert isinstance(child_cancelled, ChildCancelled)
    assert "unwanted" in str(child_cancelled)
    assert asyncio.current_task().cancelling() == 0


async def test_the_callers_cancellation_comes_out_when_all_have_ended_with_what_had_finished():
    late = OSError("while closing")
    calling = asyncio.create_task(gather(value("there"), fails_when_cancelled(late), value("never", after=1000)))
    await asyncio.sleep(1)

    calling.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough") as caught:
        await calling

    there, failed, stopped = partial(caught.value)
    assert (there.value, failed.error) == ("there", late)
    assert stopped.reason == "the caller was cancelled: enough"


async def test_a_second_cancellation_is_passed_on_and_the_count_kept():
    asked = []

    async def stubborn():
        for _ in range(2):
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError as cancellation:
                asked.append(cancellation)

    calling = asyncio.create_task(gather(stubborn()))
    await asyncio.sleep(1)

    calling.cancel()
    await asyncio.sleep(1)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling

    assert len(asked) == 2
    assert calling.cancelling() == 2


async def test_what_was_stopped_before_its_first_step_is_not_called_and_says_so():
    calls = []

    async def stops():
        raise SystemExit

    def never_called():
        calls.append(1)
        return value(1)

    with pytest.raises(SystemExit) as caught:
        await gather(stops(), never_called, value(2))

    assert calls == []
    assert [(outcome.index, outcome.attempts) for outcome in partial(caught.value)] == [(1, 0), (2, 0)]


async def test_futures_and_tasks_that_were_given_are_cancelled_too():
    task = asyncio.create_task(asyncio.sleep(1000))
    future = asyncio.get_running_loop().create_future()

    with pytest.raises(ExceptionGroup):
        await gather(task, future, failing(OSError(), after=1))

    assert task.cancelled()
    assert future.cancelled()


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
async def test_a_stopping_exception_comes_out_bare_with_the_rest_attached_and_reported(fatal):
    late, reported = OSError("late"), []

    with report_to(lambda error, what: reported.append((error, what))), pytest.raises(fatal) as caught:
        await gather(fails_when_cancelled(late), value("there"), failing(fatal(), after=1))

    failed, there = partial(caught.value)
    assert (failed.error, there.value) == (late, "there")
    ((group, what),) = reported
    assert group.exceptions == (late,)
    assert what == f"1 failed before {fatal.__name__} stopped unlost.gather"


async def test_a_refused_start_leaves_nothing_unawaited_and_nothing_running():
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    made = []

    def factory(loop, coro, **options):
        if made:
            raise RuntimeError("no more tasks")
        made.append(asyncio.Task(coro, loop=loop, **options))
        return made[0]

    loop.set_task_factory(factory)
    try:
        with pytest.raises(RuntimeError, match="no more tasks"):
            await gather(value(1, after=1000), value(2), value(3))
    finally:
        loop.set_task_factory(before)

    assert made[0].done()


@pytest.mark.parametrize(("wrong", "hint"), [([1], "with the star"), (3, "neither awaited nor called")])
async def test_what_can_be_neither_awaited_nor_called_is_refused_before_anything_starts(wrong, hint):
    coroutine = value(1)

    with pytest.raises(UsageError, match=hint):
        await gather(coroutine, wrong)

    with pytest.raises(RuntimeError, match="cannot reuse"):
        await coroutine


async def test_a_future_of_another_loop_is_refused():
    other = asyncio.new_event_loop()
    future = other.create_future()

    with pytest.raises(UsageError, match="another event loop"):
        await gather(future)
    other.close()


async def test_an_exception_that_is_returned_is_a_value():
    error = OSError("returned")

    assert await gather(value(error)) == (error,)


async def test_a_group_with_something_that_is_no_exception_is_a_base_exception_group():
    class Stop(BaseException):
        pass

    with pytest.raises(BaseExceptionGroup) as caught:
        await gather(failing(Stop()), value(1))

    assert not isinstance(caught.value, ExceptionGroup)


async def test_outcomes_know_how_long_it_took():
    with pytest.raises(ExceptionGroup) as caught:
        await gather(value(1), failing(OSError(), after=1))

    assert isinstance(partial(caught.value)[0], Value)


async def test_a_second_stopping_exception_is_attached_and_reported():
    async def exits_when_cancelled():
        try:
            await asyncio.sleep(1000)
        finally:
            raise SystemExit(2)

    reported = []

    with report_to(lambda error, what: reported.append(error)), pytest.raises(SystemExit) as caught:
        await gather(exits_when_cancelled(), failing(SystemExit(1), after=1))

    assert caught.value.code == 1
    (second,) = partial(caught.value)
    assert second.error.code == 2
    assert reported[0].exceptions == (second.error,)


async def test_parts_that_except_star_makes_have_the_outcomes_too():
    outcomes = []

    try:
        await gather(failing(OSError(1)), failing(KeyError(2)))
    except* OSError as part:
        outcomes.append(partial(part))
    except* KeyError as part:
        outcomes.append(partial(part))

    assert [len(found) for found in outcomes] == [2, 2]


async def test_the_task_that_calls_it_is_refused():
    coroutine = value(1)

    with pytest.raises(UsageError, match="would wait for ever"):
        await gather(coroutine, asyncio.current_task())

    with pytest.raises(RuntimeError, match="cannot reuse"):
        await coroutine


async def test_a_task_that_was_given_and_waits_for_the_call_does_not_go_round_in_circles():
    asked = 0

    async def outer():
        nonlocal asked
        inner = asyncio.create_task(waits_for(asyncio.current_task()))
        while not inner.done():
            try:
                await asyncio.wait([inner], timeout=5)
                break
            except asyncio.CancelledError:
                asked += 1
                inner.cancel()

    async def waits_for(task):
        await gather(task)

    outer_task = asyncio.create_task(outer())
    await asyncio.sleep(1)
    outer_task.cancel()
    await asyncio.wait([outer_task], timeout=20)

    assert outer_task.done()
    assert asked <= 3
