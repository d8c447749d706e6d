import asyncio
from contextlib import aclosing

import pytest

from unlost._core import Cancelled, Failure, Value, partial, stream
from unlost.errors import ChildCancelled, UsageError


async def wait_for_it(item):
    await asyncio.sleep(item)
    return item


async def fail_if_odd(item):
    await asyncio.sleep(item)
    if item % 2:
        raise ValueError(item)
    return item


async def numbers(count):
    for number in range(count):
        yield number


def only_this_task():
    return asyncio.all_tasks() == {asyncio.current_task()}


async def test_outcomes_come_as_items_end():
    async with stream(wait_for_it, [3, 1, 2], limit=3) as outcomes:
        order = [outcome.value async for outcome in outcomes]

    assert order == [1, 2, 3]


async def test_outcomes_come_in_input_order_on_request():
    async with stream(wait_for_it, [3, 1, 2], limit=3, ordered=True) as outcomes:
        order = [outcome.value async for outcome in outcomes]

    assert order == [3, 1, 2]


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 7, 100])
@pytest.mark.parametrize("buffer", [1, 2, None])
@pytest.mark.parametrize("isolate", ["worker", "task"])
@pytest.mark.parametrize("source", [range, numbers])
async def test_every_item_has_exactly_one_outcome(ordered, limit, buffer, isolate, source):
    async def job(item):
        await asyncio.sleep(item * 7 % 5)
        return item

    options = {"limit": limit, "ordered": ordered, "buffer": buffer, "isolate": isolate}
    async with stream(job, source(30), **options) as outcomes:
        seen = [outcome.value async for outcome in outcomes]

    assert sorted(seen) == list(range(30))
    assert seen == sorted(seen) or not ordered
    assert only_this_task()


@pytest.mark.parametrize("source", [range, numbers])
@pytest.mark.parametrize("ordered", [False, True])
async def test_nothing_is_started_while_buffer_outcomes_wait(ordered, source):
    taken = 0
    ended = 0
    waiting_at_start = []

    async def job(item):
        nonlocal ended
        waiting_at_start.append(ended - taken)
        await asyncio.sleep(0.1 if item else 5)
        ended += 1

    async with stream(job, source(40), limit=3, ordered=ordered, buffer=4) as outcomes:
        async for _ in outcomes:
            taken += 1
            await asyncio.sleep(1)

    assert max(waiting_at_start) == 3


async def test_a_place_that_is_free_again_lets_all_workers_start():
    running = most = 0

    async def job(item):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1)
        running -= 1

    async with stream(job, range(40), limit=4, buffer=1) as outcomes:
        await asyncio.sleep(10)
        most = 0
        async for _ in outcomes:
            pass

    assert most == 4


async def test_a_slow_first_item_does_not_stop_ordered_ones_short_of_the_buffer():
    started = []

    async def job(item):
        started.append(item)
        await asyncio.sleep(100 if item == 0 else 1)

    async with stream(job, range(100), limit=2, buffer=10, ordered=True) as outcomes:
        await anext(outcomes)

    assert len(started) == 1 + 10


async def test_the_inputs_exception_comes_after_the_last_outcome():
    def source():
        yield 2
        yield 1
        raise OSError("the file broke")

    seen = []

    with pytest.raises(OSError, match="the file broke") as caught:
        async with stream(fail_if_odd, source(), limit=2) as outcomes:
            async for outcome in outcomes:
                seen.append(type(outcome))

    assert seen == [Failure, Value]
    assert "1 ok · 1 failed" in caught.value.__notes__[0]
    assert partial(caught.value) is None


async def test_iterating_on_after_the_inputs_exception_ends():
    def source():
        yield 0
        raise OSError("broken")

    async with stream(wait_for_it, source(), limit=2) as outcomes:
        await anext(outcomes)
        with pytest.raises(OSError, match="broken"):
            await anext(outcomes)
        with pytest.raises(StopAsyncIteration):
            await anext(outcomes)


async def test_a_stopping_exception_comes_out_bare_with_what_was_not_handed_over(capfd):
    async def job(item):
        await asyncio.sleep(item)
        if item == 3:
            raise KeyboardInterrupt
        if item == 2:
            raise ValueError(item)
        return item

    with pytest.raises(KeyboardInterrupt) as caught:
        async with stream(job, [1, 2, 3, 4], limit=4) as outcomes:
            await anext(outcomes)
            await asyncio.sleep(5)
            await anext(outcomes)

    assert [type(outcome) for outcome in partial(caught.value)] == [Failure, Cancelled]
    assert "ValueError: 2" in capfd.readouterr().err
    assert only_this_task()


async def test_a_stopping_exception_that_was_not_seen_comes_out_of_the_block():
    async def job(item):
        raise SystemExit(item)

    with pytest.raises(SystemExit):
        async with stream(job, [1], limit=4):
            await asyncio.sleep(1)


async def test_a_stopping_exception_wins_over_the_bodys_error_and_keeps_it_as_context():
    async def job(item):
        raise SystemExit(item)

    with pytest.raises(SystemExit) as caught:
        async with stream(job, [1], limit=4):
            await asyncio.sleep(1)
            raise KeyError("body")

    assert isinstance(caught.value.__context__, KeyError)


async def fatal_with_a_context_of_its_own(item):
    try:
        raise LookupError("its own")
    except LookupError:
        raise SystemExit(item)  # noqa: B904  # the context is the point


async def test_the_bodys_error_reaches_an_owner_where_a_fatal_one_with_a_context_of_its_own_wins(capfd):
    error = KeyError("body")

    with pytest.raises(SystemExit) as caught:
        async with stream(fatal_with_a_context_of_its_own, [1], limit=4):
            await asyncio.sleep(1)
            raise error

    (of_the_body,) = partial(caught.value)
    assert isinstance(of_the_body, Failure)
    assert of_the_body.error is error
    assert of_the_body.index == -1
    assert isinstance(caught.value.__context__, LookupError)
    assert "KeyError: 'body'" in capfd.readouterr().err


async def test_a_cancellation_of_the_body_that_a_fatal_error_replaces_is_attached_and_not_reported(capfd):
    async def caller():
        async with stream(fatal_with_a_context_of_its_own, [1], limit=4):
            await asyncio.sleep(1)
            raise asyncio.CancelledError("left")

    with pytest.raises(SystemExit) as caught:
        await caller()

    (of_the_body,) = partial(caught.value)
    assert isinstance(of_the_body, Cancelled)
    assert of_the_body.error.args == ("left",)
    assert capfd.readouterr().err == ""


async def test_leaving_early_cancels_what_runs_and_waits_for_it():
    ended = []

    async def job(item):
        try:
            await asyncio.sleep(item)
        finally:
            await asyncio.sleep(1)
            ended.append(item)

    async with stream(job, [0, 1000, 2000], limit=3) as outcomes:
        async for _ in outcomes:
            break

    assert sorted(ended) == [0, 1000, 2000]
    assert only_this_task()


async def test_leaving_early_closes_the_input():
    closed = []

    async def source():
        try:
            for item in range(100):
                yield item
        finally:
            await asyncio.sleep(1)
            closed.append(True)

    async with stream(wait_for_it, source(), limit=2) as outcomes:
        await anext(outcomes)

    assert closed == [True]


async def test_failures_not_handed_over_are_raised_as_a_group():
    with pytest.raises(ExceptionGroup, match="2 failed before the stream was left") as caught:
        async with stream(fail_if_odd, [0, 1, 2, 3], limit=4) as outcomes:
            await anext(outcomes)
            await asyncio.sleep(5)

    assert [error.args for error in caught.value.exceptions] == [(1,), (3,)]
    assert [outcome.index for outcome in partial(caught.value)] == [1, 2, 3]


async def test_a_failure_during_the_leaving_is_raised_too():
    async def job(item):
        try:
            await asyncio.sleep(1000)
        finally:
            raise OSError("cleanup failed")

    with pytest.raises(ExceptionGroup) as caught:
        async with stream(job, [1], limit=1):
            await asyncio.sleep(1)

    assert str(caught.value.exceptions[0]) == "cleanup failed"


async def test_an_item_cancelled_from_elsewhere_is_not_dropped_on_leaving():
    async def job(item):
        asyncio.current_task().cancel("by itself")
        await asyncio.sleep(1)

    with pytest.raises(ExceptionGroup) as caught:
        async with stream(job, [1], limit=1):
            await asyncio.sleep(1)

    assert isinstance(caught.value.exceptions[0], ChildCancelled)


async def test_an_exception_of_the_input_that_was_not_seen_comes_out_of_the_block():
    def source():
        yield 1
        raise OSError("broken")

    with pytest.raises(OSError, match="broken") as caught:
        async with stream(fail_if_odd, source(), limit=2):
            await asyncio.sleep(5)

    assert [type(outcome) for outcome in partial(caught.value)] == [Failure]


async def test_the_bodys_error_wins_and_carries_the_rest():
    error = KeyError("body")

    with pytest.raises(KeyError) as caught:
        async with stream(fail_if_odd, [2, 1, 0, 1000], limit=4):
            await asyncio.sleep(5)
            raise error

    assert caught.value is error
    assert caught.value.__context__ is None
    assert [type(outcome) for outcome in partial(error)] == [Value, Failure, Value, Cancelled]
    assert [outcome.index for outcome in partial(error)] == [0, 1, 2, 3]
    assert error.__notes__ == ["unlost.stream: 1 failed besides, see unlost.partial(error)"]


async def test_an_error_of_the_input_travels_with_the_bodys_error():
    def source():
        yield 0
        raise OSError("broken")

    with pytest.raises(KeyError) as caught:
        async with stream(wait_for_it, source(), limit=4):
            await asyncio.sleep(1)
            raise KeyError("body")

    of_the_input, of_the_item = partial(caught.value)
    assert of_the_input.index == -1
    assert isinstance(of_the_input.error, OSError)
    assert of_the_item.value == 0


async def test_an_error_that_leaves_two_streams_carries_what_both_had_left():
    with pytest.raises(KeyError) as caught:
        async with stream(fail_if_odd, [1], limit=1), stream(fail_if_odd, [3, 5], limit=2):
            await asyncio.sleep(10)
            raise KeyError("body")

    assert [failure.error.args for failure in partial(caught.value)] == [(3,), (5,), (1,)]


async def test_failures_behind_a_closed_generator_are_reported(capfd):
    async def generator():
        async with stream(fail_if_odd, [0, 1], limit=2) as outcomes:
            async for outcome in outcomes:
                await asyncio.sleep(5)
                yield outcome.value

    async with aclosing(generator()) as values:
        assert await anext(values) == 0

    assert "ValueError: 1" in capfd.readouterr().err


async def test_the_callers_cancellation_comes_out_with_the_rest():
    async def caller():
        async with stream(fail_if_odd, [0, 1, 1000], limit=4) as outcomes:
            await asyncio.sleep(5)
            async for _ in outcomes:
                await asyncio.sleep(1000)

    calling = asyncio.create_task(caller())
    await asyncio.sleep(10)
    calling.cancel("enough")

    with pytest.raises(asyncio.CancelledError, match="enough") as caught:
        await calling
    assert [type(outcome) for outcome in partial(caught.value)] == [Failure, Cancelled]
    assert calling.cancelling() == 1


async def test_a_cancellation_while_the_block_is_left_comes_out():
    async def job(item):
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1000)

    async def caller():
        async with stream(job, [1], limit=1):
            await asyncio.sleep(1)

    calling = asyncio.create_task(caller())
    await asyncio.sleep(5)
    calling.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await calling
    assert [type(outcome) for outcome in partial(caught.value)] == [Cancelled]


async def test_a_cancellation_while_the_block_is_left_wins_over_the_bodys_error():
    async def job(item):
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1000)

    async def caller():
        async with stream(job, [1], limit=1):
            await asyncio.sleep(1)
            raise KeyError("body")

    calling = asyncio.create_task(caller())
    await asyncio.sleep(5)
    calling.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await calling
    assert isinstance(caught.value.__context__, KeyError)
    assert [type(outcome) for outcome in partial(caught.value)] == [Cancelled]


async def test_a_cancelled_anext_loses_no_outcome():
    async with stream(wait_for_it, [1, 2, 3], limit=3) as outcomes:
        seen = []
        while len(seen) < 3:
            try:
                async with asyncio.timeout(0.5):
                    seen.append((await anext(outcomes)).value)
            except TimeoutError:
                pass

    assert seen == [1, 2, 3]


async def test_several_tasks_may_read():
    seen = []

    async def read(outcomes):
        async for outcome in outcomes:
            seen.append(outcome.value)
            await asyncio.sleep(0)

    async with stream(wait_for_it, range(20), limit=5) as outcomes:
        await asyncio.gather(*(read(outcomes) for _ in range(3)))

    assert sorted(seen) == list(range(20))


@pytest.mark.parametrize("source", [range, numbers])
async def test_stop_starts_nothing_more_and_lets_the_rest_end(source):
    started = []

    async def job(item):
        started.append(item)
        await asyncio.sleep(2)
        return item

    async with stream(job, source(100), limit=3) as outcomes:
        await asyncio.sleep(1)
        outcomes.stop()
        seen = [outcome.value async for outcome in outcomes]

    assert started == sorted(seen) == [0, 1, 2]


async def test_stop_ends_an_input_that_waits():
    ended = []

    async def source():
        yield 0
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(asyncio.get_running_loop().time())

    before = asyncio.get_running_loop().time()
    async with stream(wait_for_it, source(), limit=3) as outcomes:
        await asyncio.sleep(1)
        outcomes.stop()
        seen = [outcome.value async for outcome in outcomes]

    assert seen == [0]
    assert ended == [before + 1]


async def test_stop_releases_workers_that_wait_for_a_place():
    async with stream(wait_for_it, [0] * 10, limit=3, buffer=1) as outcomes:
        await asyncio.sleep(1)
        outcomes.stop()
        await asyncio.sleep(1)
        assert only_this_task()
        seen = [outcome async for outcome in outcomes]

    assert len(seen) < 10


async def test_an_input_may_stop_its_own_stream():
    async def source():
        try:
            yield 0
            outcomes.stop()
            await asyncio.sleep(1)
            closed.append(False)
            yield 1
        finally:
            await asyncio.sleep(1)
            closed.append(True)

    closed = []
    async with stream(wait_for_it, source(), limit=2) as outcomes:
        seen = [outcome.value async for outcome in outcomes]

    assert seen == [0]
    assert closed == [False, True]


async def test_cancel_hands_over_what_becomes_of_each_item():
    async def job(item):
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            if item == 0:
                return "rescued"
            if item == 1:
                raise OSError("cleanup failed") from None
            raise

    async with stream(job, range(100), limit=3, ordered=True) as outcomes:
        await asyncio.sleep(1)
        outcomes.cancel("Ctrl-C")
        seen = [outcome async for outcome in outcomes]

    assert [type(outcome) for outcome in seen] == [Value, Failure, Cancelled]
    assert seen[2].reason == "Ctrl-C"


async def test_cancel_again_reaches_what_ignored_the_first():
    async def job(item):
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            await asyncio.sleep(1000)

    async with stream(job, [1], limit=3) as outcomes:
        await asyncio.sleep(1)
        outcomes.cancel("first")
        await asyncio.sleep(1)
        outcomes.cancel("second")
        (seen,) = [outcome async for outcome in outcomes]

    assert isinstance(seen, Cancelled)
    assert seen.reason == "first"
    assert seen.duration == pytest.approx(2)


async def test_leaving_after_cancel_raises_nothing_for_what_was_asked():
    async with stream(wait_for_it, [1000], limit=3) as outcomes:
        await asyncio.sleep(1)
        outcomes.cancel("enough")


async def test_a_stream_that_is_not_entered_says_what_to_write():
    with pytest.raises(UsageError, match="async with stream"):
        async for _ in stream(wait_for_it, [1], limit=1):
            pass


async def test_a_stream_runs_once():
    outcomes = stream(wait_for_it, [1], limit=1)
    async with outcomes:
        await anext(outcomes)

    with pytest.raises(UsageError, match="Call stream"):
        await outcomes.__aenter__()


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 1, "buffer": 0}, {"limit": 1, "isolate": ""}])
def test_wrong_arguments_are_told_at_once(wrong):
    with pytest.raises(UsageError):
        stream(wait_for_it, [1], **wrong)


async def test_a_function_that_cannot_be_awaited_is_told():
    with pytest.raises(UsageError, match="to_thread"):
        async with stream(lambda item: item, [1, 2], limit=1) as outcomes:
            async for _ in outcomes:
                pass
