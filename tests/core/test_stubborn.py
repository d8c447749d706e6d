import asyncio

import pytest

from unlost._core import StillRunning, TaskGroup, cancel_reason, gather, listen, still_running, where


async def ignores_cancellation(seconds):
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        try:
            await asyncio.sleep(until - loop.time())
        except asyncio.CancelledError:
            continue


SLEEPING = f"test_stubborn.py:{ignores_cancellation.__code__.co_firstlineno + 5} in ignores_cancellation"


async def failing():
    raise OSError("gone")


@pytest.mark.parametrize("call", ["gather", "group"])
async def test_a_task_that_ignores_its_cancellation_is_named_with_where_it_is(call, capfd):
    events = []

    with listen(events.append), pytest.raises(ExceptionGroup):
        if call == "gather":
            await gather(ignores_cancellation(25), failing())
        else:
            async with TaskGroup() as group:
                group.start_soon(ignores_cancellation, 25)
                group.start_soon(failing)

    seconds = [round(event.seconds) for event in events if isinstance(event, StillRunning)]
    assert seconds == [10, 20]
    assert events[0].where == SLEEPING
    told = capfd.readouterr().err
    assert told.count(f"cancellation requested 10.0 s ago, still running at {SLEEPING}") == 1


async def test_who_stops_in_time_is_not_named(capfd):
    with pytest.raises(ExceptionGroup):
        await gather(ignores_cancellation(9), failing())

    assert capfd.readouterr().err == ""


async def test_where_is_the_innermost_place_outside_of_asyncio():
    async def outer():
        await inner()

    async def inner():
        await asyncio.sleep(10)

    task = asyncio.create_task(outer(), name="worker")
    await asyncio.sleep(1)

    assert where(task).endswith("inner")
    assert still_running(task, 4.25).startswith(
        "task 'worker': cancellation requested 4.2 s ago, still running at test_"
    )
    task.cancel()


async def test_where_of_a_task_in_an_async_generator_is_inside_of_it():
    async def numbers():
        await asyncio.sleep(10)
        yield 1

    async def consumer():
        async for _ in numbers():
            pass

    task = asyncio.create_task(consumer())
    await asyncio.sleep(1)

    assert where(task).rpartition(" in ")[2].endswith(("numbers", "consumer"))
    task.cancel()


async def test_where_of_an_ended_task_is_unknown():
    task = asyncio.create_task(asyncio.sleep(0))
    await task

    assert where(task) == "an unknown place"


def test_a_reason_is_its_text_and_survives_pickling_as_text():
    import pickle

    from unlost._core import asked_now

    reason = asked_now("enough", "unlost.gather")
    error = asyncio.CancelledError(reason)

    assert str(error) == "enough"
    assert cancel_reason(error) is reason
    loaded = pickle.loads(pickle.dumps(error))
    assert type(loaded.args[0]) is str
    assert (cancel_reason(loaded), cancel_reason(loaded).who) == ("enough", "")


def test_a_cancellation_without_a_reason_has_an_empty_one():
    assert cancel_reason(asyncio.CancelledError()) == ""
    assert cancel_reason(asyncio.CancelledError(5)) == "5"
