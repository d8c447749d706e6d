import asyncio

import pytest

from unlost._core import Failure, Value, as_completed, partial, report_to
from unlost.errors import UsageError


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


async def test_outcomes_come_in_the_order_of_their_ends_and_know_their_operation():
    error = OSError()

    async with as_completed(
        value("slow", after=3), failing(error, after=1), lambda: value("fast", after=2)
    ) as outcomes:
        got = [outcome async for outcome in outcomes]

    assert [outcome.index for outcome in got] == [1, 2, 0]
    assert isinstance(got[0], Failure)
    assert got[0].error is error
    assert [outcome.duration for outcome in got] == pytest.approx([1, 2, 3], abs=0.5)


async def test_nothing_given_ends_at_once():
    async with as_completed() as outcomes:
        assert [outcome async for outcome in outcomes] == []


async def test_leaving_early_cancels_the_rest_and_waits_for_it():
    ended = []

    async def slow():
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(2)
            ended.append("slow")

    async with as_completed(value("first"), slow()) as outcomes:
        async for outcome in outcomes:
            assert outcome.value == "first"
            break

    assert ended == ["slow"]


async def test_failures_that_nobody_took_are_raised_when_the_block_is_left():
    untaken, late = OSError("untaken"), ValueError("late")

    with pytest.raises(ExceptionGroup, match="2 failed before the block was left") as caught:
        async with as_completed(failing(untaken, after=1), fails_when_cancelled(late), value(3, after=1)):
            await asyncio.sleep(2)

    assert caught.value.exceptions == (untaken, late)
    assert len(partial(caught.value)) == 3


async def test_failures_that_nobody_took_travel_with_what_leaves_the_block():
    untaken = OSError("untaken")

    with pytest.raises(KeyError) as caught:
        async with as_completed(failing(untaken)):
            await asyncio.sleep(1)
            raise KeyError("own")

    assert partial(caught.value)[0].error is untaken
    assert caught.value.__notes__ == ["unlost.as_completed: 1 failed besides, see unlost.partial(error)"]


async def test_what_was_taken_is_not_raised_again():
    async with as_completed(failing(OSError()), value(1, after=1)) as outcomes:
        async for _outcome in outcomes:
            break


async def test_the_callers_cancellation_comes_out_with_what_was_not_taken():
    async def consume():
        async with as_completed(value(1), value(2, after=1000)) as outcomes:
            async for outcome in outcomes:
                taken.append(outcome.value)

    taken = []
    consuming = asyncio.create_task(consume())
    await asyncio.sleep(1)
    consuming.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough") as caught:
        await consuming

    assert taken == [1]
    assert [outcome.index for outcome in partial(caught.value)] == [1]


async def test_a_cancelled_iteration_loses_no_outcome():
    async with as_completed(value(1, after=2), value(2, after=3)) as outcomes:
        waiting = asyncio.ensure_future(anext(outcomes))
        await asyncio.sleep(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert [outcome.value async for outcome in outcomes] == [1, 2]


@pytest.mark.parametrize("where", ["iteration", "exit"])
async def test_a_stopping_exception_comes_out_bare_with_the_rest_attached_and_reported(where):
    late, reported = OSError("late"), []

    with report_to(lambda error, what: reported.append(error)), pytest.raises(SystemExit) as caught:
        async with as_completed(fails_when_cancelled(late), failing(SystemExit(2), after=1)) as outcomes:
            if where == "iteration":
                async for _ in outcomes:
                    pass
            else:
                await asyncio.sleep(2)

    assert partial(caught.value)[0].error is late
    assert reported[0].exceptions == (late,)


async def test_it_is_entered_once():
    block = as_completed(value(1))
    async with block:
        pass

    with pytest.raises(UsageError, match="entered before"):
        await block.__aenter__()


async def test_it_is_iterated_only_inside_of_its_block():
    block = as_completed()

    with pytest.raises(UsageError, match="async with as_completed"):
        async for _ in block:
            pass


async def test_an_operation_of_the_wrong_sort_is_refused_on_entering():
    with pytest.raises(UsageError, match="as_completed"):
        async with as_completed(3):
            pass


async def test_outcomes_go_to_whoever_iterates_each_to_one():
    async with as_completed(*(value(n, after=n) for n in range(6))) as outcomes:

        async def take():
            return [outcome.value async for outcome in outcomes if isinstance(outcome, Value)]

        one, other = await asyncio.gather(take(), take())

    assert sorted(one + other) == list(range(6))
