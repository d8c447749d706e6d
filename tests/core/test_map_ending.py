"""What comes out of ``map`` when it cannot return: which exception, and what travels with it."""

import asyncio
import gc
import weakref

import pytest

from unlost._core import Cancelled, Failure, Value, map, partial  # noqa: A004
from unlost.errors import ChildCancelled, UsageError

FATAL = [KeyboardInterrupt("stop"), SystemExit(3)]


def only_this_task():
    return asyncio.all_tasks() == {asyncio.current_task()}


def sync_input(error):
    yield from range(4)
    raise error


async def async_input(error):
    for item in range(4):
        yield item
    raise error


async def odd_fails(item):
    await asyncio.sleep(item)
    if item % 2:
        raise ValueError(item)
    return item


@pytest.mark.parametrize("source", [sync_input, async_input])
@pytest.mark.parametrize("limit", [1, 3, 10])
async def test_the_inputs_own_exception_comes_out_after_what_it_gave_has_ended(source, limit):
    error = OSError("the file broke")

    with pytest.raises(OSError, match="the file broke") as caught:
        await map(odd_fails, source(error), limit=limit)

    assert caught.value is error
    assert [type(outcome) for outcome in partial(error)] == [Value, Failure, Value, Failure]
    assert "2 ok · 2 failed" in error.__notes__[0]
    assert only_this_task()


async def test_the_inputs_traceback_shows_the_iterator_and_no_engine():
    error = OSError("broken")

    with pytest.raises(OSError, match="broken"):
        await map(odd_fails, sync_input(error), limit=1)

    names = []
    traceback = error.__traceback__
    while traceback:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert names[-1] == "sync_input"
    assert "_work" not in names


async def test_nothing_more_is_taken_from_an_iterator_that_raised():
    class Restless:
        calls = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.calls += 1
            if self.calls == 3:
                raise OSError("once")
            return self.calls

    items = Restless()

    with pytest.raises(OSError, match="once"):
        await map(odd_fails, items, limit=2)
    assert items.calls == 3


@pytest.mark.parametrize("source", [sync_input, async_input])
async def test_an_input_that_was_cancelled_is_not_the_callers_cancellation(source):
    with pytest.raises(ChildCancelled, match="the input was cancelled: why not") as caught:
        await map(odd_fails, source(asyncio.CancelledError("why not")), limit=2)

    assert len(partial(caught.value)) == 4
    assert asyncio.current_task().cancelling() == 0


async def test_an_error_on_closing_the_input_comes_out():
    async def source():
        try:
            yield 0
            yield 1
        finally:
            raise OSError("on closing")

    with pytest.raises(OSError, match="on closing") as caught:
        await map(odd_fails, source(), limit=2)

    assert len(partial(caught.value)) == 2


async def test_an_exception_of_a_class_that_forbids_attributes_still_carries_the_outcomes():
    class Frozen(Exception):
        def __setattr__(self, name, value):
            raise AssertionError(name)

    with pytest.raises(Frozen) as caught:
        await map(odd_fails, sync_input(Frozen()), limit=2)

    assert len(partial(caught.value)) == 4


@pytest.mark.parametrize("fatal", FATAL, ids=repr)
@pytest.mark.parametrize("isolate", ["worker", "task"])
async def test_a_stopping_exception_of_an_item_stops_everything_and_comes_out_bare(fatal, isolate, capfd):
    ended = []

    async def job(item):
        if item == 0:
            return "done"
        if item == 1:
            raise ValueError("failed before")
        if item == 4:
            await asyncio.sleep(1)
            raise fatal
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(item)

    with pytest.raises(type(fatal)) as caught:
        await map(job, range(100), limit=3, isolate=isolate)

    assert caught.value is fatal
    assert sorted(ended) == [2, 3]
    assert [outcome.index for outcome in partial(fatal)] == [0, 1, 2, 3]
    assert [type(outcome) for outcome in partial(fatal)] == [Value, Failure, Cancelled, Cancelled]
    reported = capfd.readouterr().err
    assert f"1 failed before {type(fatal).__name__} stopped unlost.map" in reported
    assert "ValueError: failed before" in reported
    assert only_this_task()
    del fatal.__dict__["__unlost__"]


@pytest.mark.parametrize("source", [sync_input, async_input])
@pytest.mark.parametrize("fatal", FATAL, ids=repr)
async def test_a_stopping_exception_of_the_input_stops_everything_and_comes_out_bare(source, fatal):
    async def job(item):
        await asyncio.sleep(1000)

    with pytest.raises(type(fatal)) as caught:
        await map(job, source(fatal), limit=10)

    assert caught.value is fatal
    assert only_this_task()
    fatal.__dict__.clear()


async def test_a_second_stopping_exception_is_a_failure_and_reported(capfd):
    async def job(item):
        try:
            await asyncio.sleep(item)
        finally:
            raise SystemExit(item)

    with pytest.raises(SystemExit, match="0") as caught:
        await map(job, [0, 1], limit=2)

    (failure,) = partial(caught.value)
    assert failure.error.code == 1
    assert "SystemExit: 1" in capfd.readouterr().err


async def test_a_second_error_of_the_call_itself_is_reported(capfd):
    async def source():
        try:
            yield 1
            await asyncio.sleep(1)
        finally:
            raise OSError("on closing")

    with pytest.raises(UsageError):
        await map(lambda item: item, source(), limit=2)

    assert "on closing" in capfd.readouterr().err


async def test_our_reason_stays_even_if_the_item_loses_the_message():
    async def job(item):
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            raise asyncio.CancelledError from None

    calling = asyncio.create_task(map(job, [1], limit=1))
    await asyncio.sleep(1)
    calling.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await calling
    assert partial(caught.value)[0].reason == "the caller was cancelled"


async def test_nothing_vanishes_if_only_the_loop_knows_of_it():
    futures = []
    results = []

    async def job(item):
        future = asyncio.get_running_loop().create_future()
        futures.append(weakref.ref(future))
        return await future

    async def caller():
        results.extend((await map(job, [1], limit=1)).values())

    asyncio.create_task(caller())  # noqa: RUF006  # that is the point
    await asyncio.sleep(1)
    gc.collect()
    futures[0]().set_result("still here")
    await asyncio.sleep(1)

    assert results == ["still here"]


async def test_a_failing_item_during_the_stop_is_reported(capfd):
    async def job(item):
        await asyncio.sleep(item)
        if item == 1:
            raise KeyboardInterrupt
        try:
            await asyncio.sleep(10)
        finally:
            raise OSError("cleanup failed")

    with pytest.raises(KeyboardInterrupt):
        await map(job, [0, 1], limit=2)

    assert "cleanup failed" in capfd.readouterr().err


async def test_the_callers_cancellation_comes_out_with_its_message_count_and_the_outcomes():
    ended = []

    async def job(item):
        if item == 0:
            return item
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(5)
            ended.append(item)

    async def caller():
        try:
            await map(job, range(100), limit=3)
        except asyncio.CancelledError as error:
            assert asyncio.current_task().cancelling() == 1
            assert len(ended) == 3
            return error.args, partial(error)

    calling = asyncio.create_task(caller())
    await asyncio.sleep(1)
    calling.cancel("enough")
    message, outcomes = await calling

    assert message == ("enough",)
    assert [outcome.index for outcome in outcomes] == [0, 1, 2, 3]
    assert [outcome.reason for outcome in outcomes[1:]] == ["the caller was cancelled: enough"] * 3
    assert only_this_task()


async def test_a_second_cancellation_of_the_caller_is_passed_on():
    async def job(item):
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            await asyncio.sleep(1000)

    calling = asyncio.create_task(map(job, range(2), limit=2))
    await asyncio.sleep(1)
    calling.cancel()
    await asyncio.sleep(1)
    calling.cancel()
    started = asyncio.get_running_loop().time()

    with pytest.raises(asyncio.CancelledError):
        await calling
    assert asyncio.get_running_loop().time() - started < 1
    assert calling.cancelling() == 2


async def test_a_second_cancellation_reaches_an_input_that_ignored_the_first():
    async def source():
        yield 1
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1000)

    calling = asyncio.create_task(map(odd_fails, source(), limit=2))
    await asyncio.sleep(2)
    calling.cancel()
    await asyncio.sleep(1)
    assert not calling.done()
    calling.cancel()
    started = asyncio.get_running_loop().time()

    with pytest.raises(asyncio.CancelledError):
        await calling
    assert asyncio.get_running_loop().time() - started < 1


async def test_what_an_item_makes_of_its_cancellation_is_its_outcome():
    async def job(item):
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            if item == 0:
                return "rescued"
            raise OSError("cleanup failed") from None

    calling = asyncio.create_task(map(job, range(2), limit=2))
    await asyncio.sleep(1)
    calling.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await calling
    assert [type(outcome) for outcome in partial(caught.value)] == [Value, Failure]


async def test_an_error_of_the_input_travels_with_the_callers_cancellation():
    async def job(item):
        await asyncio.sleep(1000)

    calling = asyncio.create_task(map(job, sync_input(OSError("broken")), limit=10))
    await asyncio.sleep(1)
    calling.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await calling
    of_the_input, *others = partial(caught.value)
    assert of_the_input.index == -1
    assert str(of_the_input.error) == "broken"
    assert len(others) == 4


async def test_a_timeout_around_it_works():
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(2.5):
            await map(odd_fails, [0, 1, 2, 3], limit=4)

    outcomes = partial(caught.value.__cause__)
    assert [type(outcome) for outcome in outcomes] == [Value, Failure, Value, Cancelled]
    assert asyncio.current_task().cancelling() == 0


async def test_everybody_cancelled_at_once_as_asyncio_run_does_at_its_end():
    async def job(item):
        await asyncio.sleep(1000)

    started = []

    async def source():
        for item in range(100):
            started.append(item)
            yield item

    calling = asyncio.create_task(map(job, source(), limit=3))
    await asyncio.sleep(1)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await calling
    assert [outcome.index for outcome in partial(caught.value) if outcome.index >= 0] == [0, 1, 2]
    assert started == [0, 1, 2]
    assert only_this_task()


async def test_a_task_factory_that_refuses_ends_the_call_with_its_own_error():
    loop = asyncio.get_running_loop()
    started = 0

    def refuse_the_third(loop, coroutine, **options):
        nonlocal started
        started += 1
        if started == 3:
            raise RuntimeError("no more tasks")
        return asyncio.Task(coroutine, loop=loop, **options)

    loop.set_task_factory(refuse_the_third)
    try:
        with pytest.raises(RuntimeError, match="no more tasks") as caught:
            await map(odd_fails, range(10), limit=5)
    finally:
        loop.set_task_factory(None)

    assert [outcome.index for outcome in partial(caught.value)] == [0]
    assert only_this_task()
