"""Limits of time, and everything that may come together with them."""

import asyncio
import gc
import weakref

import pytest

from unlost._core import Outcomes, Value, attach_outcomes, partial
from unlost.errors import (
    DeadlineExceeded,
    TransientError,
    UsageError,
    attach_errors,
    attached,
    attempts,
    recall,
    remember,
)
from unlost.policies import Retry, deadline, timeout, timeout_at


def cancelling() -> int:
    return asyncio.current_task().cancelling()


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_block_that_is_too_slow_raises_and_says_which_limit_it_was() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(10, "fetch timeout"):
            await asyncio.sleep(60)

    exceeded = caught.value
    assert (exceeded.seconds, exceeded.elapsed, exceeded.name, exceeded.errors) == (10, 10, "fetch timeout", ())
    assert isinstance(exceeded.__cause__, asyncio.CancelledError)
    assert exceeded.__cause__.args == ("fetch timeout of 10 s exceeded",)
    assert cancelling() == 0


async def test_a_block_in_time_leaves_nothing_behind() -> None:
    async with timeout(10) as limit:
        await asyncio.sleep(9)
    await asyncio.sleep(20)

    assert not limit.expired()
    assert cancelling() == 0


@pytest.mark.parametrize("seconds", [None, float("inf")])
async def test_no_limit_is_no_limit_and_sets_no_timer(seconds: float | None) -> None:
    async with timeout(seconds) as limit:
        assert limit._timer is None
        await asyncio.sleep(1e6)

    assert not limit.expired()


@pytest.mark.parametrize("seconds", [0, -5])
async def test_no_time_at_all_fires_at_the_first_await(seconds: float) -> None:
    steps = []

    with pytest.raises(DeadlineExceeded):
        async with timeout(seconds):
            steps.append("before")
            await asyncio.sleep(0.001)
            steps.append("after")

    assert steps == ["before"]


async def test_no_time_at_all_lets_a_block_without_an_await_pass() -> None:
    async with timeout(0) as limit:
        value = 1
    await asyncio.sleep(1)

    assert value == 1
    assert not limit.expired()


async def test_a_timeout_error_of_the_body_is_not_taken_for_the_limit() -> None:
    users = TimeoutError("the user's")

    with pytest.raises(TimeoutError) as caught:
        async with timeout(10):
            raise users

    assert caught.value is users


async def test_what_cleanup_raised_instead_is_kept() -> None:
    from_cleanup = OSError("disk full")

    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(1):
            try:
                await asyncio.sleep(60)
            finally:
                raise from_cleanup

    assert caught.value.errors == (from_cleanup,)
    assert caught.value.__cause__ is from_cleanup
    assert isinstance(from_cleanup.__context__, asyncio.CancelledError)
    assert cancelling() == 0


async def test_slow_cleanup_is_waited_for_and_counted() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(1):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(5)

    assert caught.value.elapsed == 6


async def test_a_group_that_a_task_group_raised_in_cleanup_is_kept() -> None:
    async def child() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise OSError("child")

    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(1), asyncio.TaskGroup() as group:
            group.create_task(child())

    (raised,) = caught.value.errors
    assert isinstance(raised, ExceptionGroup)
    assert cancelling() == 0


async def test_what_was_attached_to_the_cancellation_is_among_the_errors() -> None:
    earlier, later, besides = OSError("earlier"), OSError("later"), OSError("besides")

    async def body() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as cancelled:
            attach_errors(cancelled, (earlier,))
            raise

    with pytest.raises(DeadlineExceeded) as alone:
        async with timeout(1):
            await body()
    with pytest.raises(DeadlineExceeded) as replaced:
        async with timeout(1):
            try:
                await body()
            finally:
                attach_errors(later, (besides,))
                raise later

    assert alone.value.errors == (earlier,)
    assert replaced.value.errors == (earlier, later, besides)
    assert [note.splitlines()[1:] for note in replaced.value.__notes__] == [
        ["  1. OSError: earlier", "  2. OSError: later", "  3. OSError: besides"]
    ]


async def test_what_had_finished_is_handed_over_also_where_cleanup_failed() -> None:
    failed = ExceptionGroup("cleanup", [OSError()])
    finished = Outcomes([Value(1, index=0)])
    attach_outcomes(failed, finished)

    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(1):
            try:
                await asyncio.sleep(60)
            finally:
                raise failed

    assert partial(caught.value) == finished
    assert partial(failed) == finished


async def test_a_group_that_holds_a_keyboard_interrupt_is_not_taken_for_an_error() -> None:
    group = BaseExceptionGroup("both", [KeyboardInterrupt(), OSError()])

    with pytest.raises(BaseExceptionGroup) as caught:
        async with timeout(1, "inner"):
            try:
                await asyncio.sleep(60)
            finally:
                raise group

    assert caught.value is group
    assert [error.name for error in attached(group)] == ["inner"]


async def test_an_error_of_cleanup_that_an_outside_cancellation_interrupts_tells_of_the_limit() -> None:
    failed = OSError("disk full")

    async def limited() -> None:
        async with timeout(1, "inner"):
            try:
                await asyncio.sleep(60)
            finally:
                try:
                    await asyncio.sleep(60)
                finally:
                    raise failed

    task = asyncio.create_task(limited())
    await asyncio.sleep(2)
    task.cancel()

    with pytest.raises(OSError, match="disk full") as caught:
        await task
    assert [error.name for error in attached(caught.value)] == ["inner"]
    assert task.cancelling() == 1


async def test_a_body_that_swallows_the_cancellation_keeps_its_value() -> None:
    async with timeout(1) as limit:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            value = "salvaged"

    assert value == "salvaged"
    assert limit.expired()
    assert cancelling() == 0
    await asyncio.sleep(1)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_being_told_to_stop_passes_bare(stop: type[BaseException]) -> None:
    with pytest.raises(stop) as caught:
        async with timeout(1, "inner"):
            try:
                await asyncio.sleep(60)
            finally:
                raise stop

    assert [error.name for error in attached(caught.value)] == ["inner"]
    assert cancelling() == 0


@pytest.mark.parametrize("order", ["before", "after"])
async def test_a_cancellation_from_outside_in_the_same_moment_wins(order: str) -> None:
    counts = []

    async def limited() -> None:
        try:
            async with timeout(1):
                await asyncio.sleep(60)
        finally:
            counts.append(cancelling())

    task = asyncio.create_task(limited())
    loop = asyncio.get_running_loop()
    if order == "before":
        loop.call_later(1, task.cancel)
        await asyncio.sleep(0)
    else:
        await asyncio.sleep(0)
        loop.call_later(1, task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert counts == [1]


async def test_a_cancellation_from_outside_before_the_limit_passes() -> None:
    task = asyncio.create_task(limited_sleep())
    await asyncio.sleep(0.5)
    task.cancel("outside")

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("outside",)
    assert task.cancelling() == 1


async def limited_sleep() -> None:
    async with timeout(1):
        await asyncio.sleep(60)


async def test_a_cancellation_while_the_body_cleans_up_after_the_limit_wins_and_tells_of_it() -> None:
    async def limited() -> None:
        async with timeout(1, "inner"):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(60)

    task = asyncio.create_task(limited())
    await asyncio.sleep(2)
    task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert [error.name for error in attached(caught.value)] == ["inner"]


async def test_of_nested_limits_the_one_that_fired_is_named() -> None:
    with pytest.raises(DeadlineExceeded) as inner:
        async with deadline(10), timeout(1):
            await asyncio.sleep(60)
    with pytest.raises(DeadlineExceeded) as outer:
        async with deadline(1), timeout(10):
            await asyncio.sleep(60)

    assert (inner.value.name, outer.value.name) == ("timeout", "deadline")
    assert cancelling() == 0


async def test_of_nested_limits_that_fire_together_the_outer_one_comes_out_with_the_inner() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(1, "outer"), timeout(1, "inner"):
            await asyncio.sleep(60)

    assert caught.value.name == "outer"
    assert [error.name for error in caught.value.errors] == ["inner"]
    assert cancelling() == 0


async def test_an_outer_limit_that_fires_during_an_inner_ones_cleanup_comes_out() -> None:
    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(2, "outer"), timeout(1, "inner"):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(60)

    assert (caught.value.name, caught.value.elapsed) == ("outer", 2)
    assert [error.name for error in caught.value.errors] == ["inner"]
    assert cancelling() == 0


async def test_a_count_of_cancellations_from_before_is_kept() -> None:
    async def body() -> int:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)
        with pytest.raises(DeadlineExceeded):
            async with timeout(1):
                await asyncio.sleep(60)
        return cancelling()

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel()

    assert await task == 1


async def test_a_child_that_turns_the_cancellation_into_an_error_is_heard() -> None:
    async def child() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ValueError("instead") from None

    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(1):
            await asyncio.create_task(child())

    assert [repr(error) for error in caught.value.errors] == ["ValueError('instead')"]


async def test_the_attempts_of_a_retry_move_to_the_limit_that_cut_it_short() -> None:
    async def operation() -> None:
        await asyncio.sleep(1)
        raise TransientError

    with pytest.raises(DeadlineExceeded) as caught:
        async with deadline(2.5, "item deadline"):
            await Retry(10, base=0).call(operation)

    assert [type(error) for error in attempts(caught.value)] == [TransientError, TransientError]
    assert attempts(caught.value.__cause__) == ()


async def test_whatever_is_kept_with_the_cancellation_moves_along() -> None:
    async def body() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as cancelled:
            remember(cancelled, "partial", "outcomes")
            raise

    with pytest.raises(DeadlineExceeded) as caught:
        async with timeout(1):
            await body()

    assert recall(caught.value, "partial") == "outcomes"


async def test_an_attempts_limit_is_tried_again() -> None:
    starts = []

    async def operation() -> str:
        starts.append(now())
        async with timeout(1, "attempt timeout"):
            await asyncio.sleep(60 if len(starts) < 3 else 0)
        return "value"

    outcome = await Retry(5, base=0).outcome(operation)

    assert outcome.value == "value"
    assert [error.name for error in outcome.survived] == ["attempt timeout"] * 2
    assert starts == [0, 1, 2]


async def test_a_pending_self_cancellation_of_the_body_is_the_bodys_own() -> None:
    async def body() -> None:
        async with timeout(1):
            asyncio.current_task().cancel("own")
        await asyncio.sleep(60)

    task = asyncio.create_task(body())

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == ("own",)


@pytest.mark.parametrize("wrong", ["10", True, float("nan")], ids=repr)
def test_what_is_no_number_is_refused(wrong) -> None:
    with pytest.raises(UsageError, match="expected seconds"):
        timeout(wrong)
    with pytest.raises(UsageError, match="expected a time of the loop's clock"):
        timeout_at(wrong)


async def test_a_limit_is_entered_once() -> None:
    limit = timeout(1)
    async with limit:
        pass

    with pytest.raises(UsageError, match="Write async with timeout"):
        async with limit:
            pass


class Weak(Exception): ...


async def plain() -> None:
    await asyncio.sleep(60)


async def failing_cleanup() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        raise Weak


async def told_to_stop() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        raise GeneratorExit


async def cancelled_again() -> None:
    try:
        await asyncio.sleep(60)
    finally:
        asyncio.current_task().cancel()
        await asyncio.sleep(60)


@pytest.mark.parametrize("body", [plain, failing_cleanup, cancelled_again, told_to_stop])
async def test_a_limit_leaves_no_cycle(body) -> None:
    marks = []

    class Mark:
        """A local of the frame that the error's traceback refers to."""

    async def limited() -> None:
        mark = Mark()
        marks.append(weakref.ref(mark))
        async with timeout(1) as limit:
            marks.append(weakref.ref(asyncio.current_task()))
            await body()
        assert limit is None

    gc.collect()
    gc.disable()
    try:
        tasks = {asyncio.create_task(limited())}
        await asyncio.wait(tasks)
        assert [task.cancelled() or task.exception() is not None for task in tasks] == [True]
        tasks.clear()
        await asyncio.sleep(0)

        assert [mark() for mark in marks] == [None, None]
    finally:
        gc.enable()
