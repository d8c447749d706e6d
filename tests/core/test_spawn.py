"""The handle of a background task, and who owns it."""

import asyncio
import contextvars
import gc
import os
import threading
from functools import partial

import pytest

from unlost._core import report_to
from unlost._core._forgive import forgive
from unlost._core._outcome import Cancelled, Failure, Value
from unlost._core.background._background import Background
from unlost._core.background._spawn import spawn
from unlost.errors import ChildCancelled, ChildFailed, UsageError


@pytest.fixture
def reported():
    told = []
    with report_to(lambda error, what: told.append((error, what))):
        yield told


async def returning(value, seconds=0.0):
    await asyncio.sleep(seconds)
    return value


async def failing(error, seconds=0.0):
    await asyncio.sleep(seconds)
    raise error


async def test_a_handle_tells_name_place_status_and_outcome():
    async with Background():
        handle = spawn(returning, 3, 1.0, name="three")
        assert (handle.name, handle.status, handle.outcome) == ("three", "running", None)
        assert handle.spawned_at.startswith("test_spawn.py:")
        assert handle.spawned_at.endswith(" in test_a_handle_tells_name_place_status_and_outcome")

        assert await handle == 3
    assert handle.status == "returned"
    assert isinstance(handle.outcome, Value)
    assert handle.outcome.duration >= 1.0


async def test_a_failure_is_reported_when_it_happens_with_the_place_it_was_spawned_at(reported):
    error = ValueError("no")
    async with Background() as background:
        handle = background.spawn(failing, error, 1.0)
        await asyncio.sleep(2)

        assert [told for told, _ in reported] == [error]
        assert reported[0][1] == f"background task 'failing', spawned at {handle.spawned_at}, failed"
    assert handle.status == "failed"


async def test_a_failure_that_somebody_awaits_is_raised_as_it_is_and_not_reported(reported):
    error = ValueError("no")
    async with Background() as background:
        handle = background.spawn(failing, error, 1.0)
        with pytest.raises(ValueError, match="no") as raised:
            await handle

    assert raised.value is error
    assert reported == []


async def test_a_waiter_that_is_cancelled_leaves_the_task_alone_and_the_failure_to_the_report(reported):
    async def wait_for(handle):
        await handle

    error = ValueError("late")
    async with Background() as background:
        handle = background.spawn(failing, error, 2.0)
        waiter = asyncio.ensure_future(wait_for(handle))
        await asyncio.sleep(1)
        waiter.cancel()
        await asyncio.wait([waiter])
        assert handle.status == "running"
        await asyncio.sleep(2)

    assert [told for told, _ in reported] == [error]


async def test_a_waiter_cancelled_in_the_moment_of_the_failure_does_not_count_as_told(reported):
    async def wait_for(handle):
        await handle

    error = ValueError("same moment")
    async with Background() as background:
        handle = background.spawn(failing, error, 1.0)
        waiter = asyncio.ensure_future(wait_for(handle))
        await asyncio.sleep(0)
        handle.task.add_done_callback(lambda _: waiter.cancel())
        await asyncio.wait([waiter])

    assert waiter.cancelled()
    assert [told for told, _ in reported] == [error]


async def test_inside_an_except_block_a_fresh_child_failed_leaves_both_chains_as_they_are():
    error = ValueError("no")
    async with Background() as background:
        handle = background.spawn(failing, error)
        with pytest.raises(ChildFailed, match=r"'failing', spawned at .* failed: ValueError: no") as raised:
            try:
                raise KeyError
            except KeyError:
                await handle

    assert raised.value.__cause__ is error
    assert error.__context__ is None


async def test_awaiting_it_again_does_not_lengthen_its_traceback():
    def length(traceback):
        return 0 if traceback is None else 1 + length(traceback.tb_next)

    async with Background() as background:
        handle = background.spawn(failing, ValueError("no"))
        lengths = []
        for _ in range(3):
            with pytest.raises(ValueError, match="no") as raised:
                await handle
            lengths.append(length(raised.value.__traceback__))

    assert len(set(lengths)) == 1


async def test_a_cancelled_task_does_not_cancel_who_awaits_it():
    async with Background() as background:
        handle = background.spawn(returning, 1, 10.0)
        await asyncio.sleep(1)
        assert handle.cancel("not needed")
        assert handle.status == "cancelling"
        with pytest.raises(ChildCancelled, match="was cancelled: not needed"):
            await handle

    assert handle.status == "cancelled"
    assert not handle.cancel()


async def test_a_task_that_is_cancelled_before_its_first_step_has_an_outcome():
    async with Background() as background:
        handle = background.spawn(returning, 1, 10.0)
        handle.cancel("too soon")
        with pytest.raises(ChildCancelled, match="too soon"):
            await handle

    assert isinstance(handle.outcome, Cancelled)


async def test_a_task_that_returns_in_spite_of_its_cancellation_has_swallowed_it():
    async def stubborn():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "in spite of it"

    async with Background() as background:
        handle = background.spawn(stubborn)
        await asyncio.sleep(1)
        handle.cancel()

        assert await handle == "in spite of it"
    assert handle.status == "swallowed"


async def test_a_task_that_awaits_itself_is_told_so():
    async def circular():
        await asyncio.sleep(1)
        await handles[0]

    handles = []
    async with Background() as background:
        handles.append(background.spawn(circular))
        with pytest.raises(UsageError, match="awaits itself"):
            await handles[0]


async def test_a_task_is_kept_alive_without_its_handle():
    done = []

    async def work():
        await asyncio.sleep(5)
        done.append(True)

    async with Background(grace=10) as background:
        background.spawn(work)
        await asyncio.sleep(1)
        gc.collect()

    assert done == [True]


async def test_a_task_has_the_context_of_who_spawned_it():
    variable = contextvars.ContextVar("variable", default="")

    async def look():
        return variable.get()

    async with Background() as background:
        variable.set("set before")
        handle = background.spawn(look)
        variable.set("set after")

        assert await handle == "set before"


async def test_a_coroutine_object_is_refused_and_closed():
    coroutine = returning(1)
    async with Background():
        with pytest.raises(UsageError, match=r"Write spawn\(returning, ...\)"):
            spawn(coroutine)

    assert coroutine.cr_frame is None


async def test_what_cannot_be_called_is_refused():
    async with Background():
        with pytest.raises(UsageError, match=r"spawn\(\) got 3"):
            spawn(3)


async def test_a_function_that_returns_no_awaitable_fails_with_what_to_write():
    async with Background():
        with pytest.raises(UsageError, match="Write async def len"):
            await spawn(len, "abc")


async def test_a_partial_is_called_what_its_function_is():
    async with Background():
        assert spawn(partial(returning, 1)).name == "returning"


async def test_without_an_owner_it_raises_and_shows_the_lines_that_make_one():
    with pytest.raises(UsageError) as raised:
        spawn(returning, 1)

    assert str(raised.value).splitlines() == [
        "spawn(returning) found nobody who would own the task: it would fail unseen, or vanish half-way.",
        "Write unlost.run(main) in place of asyncio.run(main()); or, in an application's lifespan,",
        "    async with unlost.Background() as background: ...",
        "and then background.spawn(returning, ...) wherever that is at hand.",
    ]


async def test_the_innermost_open_scope_owns_and_a_task_that_outlives_it_finds_the_next_one():
    async def spawn_later():
        await asyncio.sleep(5)
        spawn(returning, 1, 3.0, name="late")

    async with Background() as outer:
        async with Background() as inner:
            spawn(returning, 1, name="inner")
            assert [handle.name for handle in inner.running] == ["inner"]
            raw = asyncio.ensure_future(spawn_later())
        await raw

        assert [handle.name for handle in outer.running] == ["late"]


async def test_a_scope_that_was_left_says_so():
    async with Background() as background:
        pass

    with pytest.raises(UsageError, match="this Background scope is closed, it starts nothing more"):
        background.spawn(returning, 1)


@pytest.mark.stock
async def test_another_thread_is_told_how_to_hand_it_over():
    async with Background() as background:
        with pytest.raises(UsageError, match=r"loop.call_soon_threadsafe\(background.spawn, returning, ...\)"):
            await asyncio.to_thread(background.spawn, returning, 1)
        with pytest.raises(UsageError, match=r"loop.call_soon_threadsafe\(background.spawn, returning, ...\)"):
            await asyncio.to_thread(spawn, returning, 1)


@pytest.mark.stock
async def test_what_a_thread_hands_over_runs():
    done = asyncio.Event()

    async def work():
        done.set()

    async with Background() as background:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(loop.call_soon_threadsafe, background.spawn, work)

        await asyncio.wait_for(done.wait(), 10)


@pytest.mark.stock
async def test_a_scope_of_another_loop_is_not_used():
    raised = []

    async def elsewhere():
        try:
            spawn(returning, 1)
        except UsageError as error:
            raised.append(str(error))

    async with Background():
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(asyncio.run, elsewhere()))
        thread.start()
        await asyncio.to_thread(thread.join)

    assert "found nobody who would own the task" in raised[0]


@pytest.mark.stock
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the claim is about a fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
async def test_a_forked_child_is_told_that_the_scope_is_its_parents():
    async with Background() as background:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                background.spawn(returning, 1)
            except UsageError as error:
                os.write(writing, str(error).encode())
            finally:
                os._exit(0)
        os.close(writing)
        told = os.read(reading, 10_000).decode()
        os.waitpid(child, 0)  # noqa: ASYNC222  # it has ended: a thread would make the next fork warn
        os.close(reading)

    assert told.splitlines() == [
        (
            f"spawn(returning): this Background scope belongs to process {os.getpid()}, "
            f"and this is a fork of it, process {child}."
        ),
        "Write unlost.run(main) in the child process: it has no part in its parent's tasks.",
    ]


async def test_a_forgiven_failure_is_no_longer_counted(reported):
    async with Background() as background:
        handle = background.spawn(failing, ValueError("meant"))
        await asyncio.sleep(1)
        assert isinstance(handle.outcome, Failure)
        assert background._opened().failures == 1

        forgive(handle.outcome, "the mail is a nicety")

        assert background._opened().failures == 0
