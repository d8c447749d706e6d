import asyncio
import contextlib
import gc
import traceback
import warnings
import weakref
from contextvars import ContextVar

import pytest

from unlost._core import cancel_reason, listen, report_to
from unlost._core._late import LateValue
from unlost._core._stubborn import StillRunning
from unlost._core.cleaning._cleanup import CLEANUP_TIMEOUT, cleanup
from unlost.errors import ChildCancelled, DeadlineExceeded, UsageError, attached

variable = ContextVar("variable", default="untouched")


@pytest.fixture
def reports():
    found = []
    with report_to(lambda error, what: found.append((error, what))):
        yield found


@pytest.fixture
def events():
    found = []
    with listen(found.append):
        yield found


def now():
    return asyncio.get_running_loop().time()


async def close(seconds=1, value="closed"):
    await asyncio.sleep(seconds)
    return value


async def fail(seconds=1, error=None):
    await asyncio.sleep(seconds)
    raise error or OSError("close failed")


async def ignore_cancellation(seconds):
    """Run on for so many seconds, whatever is asked."""
    end = now() + seconds
    while now() < end:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(end - now())


async def cancelled_at(*moments, of):
    """Run the coroutine in a task, cancel it at each moment; return the task when it is done."""
    task = asyncio.create_task(of)
    for number, moment in enumerate(moments, 1):
        asyncio.get_running_loop().call_later(moment, task.cancel, f"request {number}")
    await asyncio.wait({task})
    return task


async def test_it_returns_what_the_function_returns():
    assert await cleanup(close, 1, "all closed") == "all closed"


async def test_it_raises_the_functions_own_error():
    error = OSError("close failed")

    with pytest.raises(OSError, match="close failed") as caught:
        await cleanup(fail, 1, error)
    assert caught.value is error
    assert error.__context__ is None
    assert [entry.name for entry in caught.traceback][-1] == "fail"
    assert "_run" not in [entry.name for entry in caught.traceback]


async def test_an_error_keeps_its_own_context_where_another_one_is_handled():
    async def fails_while_handling():
        try:
            raise KeyError("first")
        except KeyError:
            raise OSError("second")  # noqa: B904  # the claim is about implicit chaining

    with pytest.raises(OSError, match="second") as caught:
        try:
            raise ValueError("of the body")
        finally:
            await cleanup(fails_while_handling)
    assert isinstance(caught.value.__context__, KeyError)


async def test_a_second_cancellation_cuts_a_plain_cleanup_short():
    """This is Python's own behaviour."""
    closed = []

    async def work():
        try:
            await asyncio.sleep(100)
        finally:
            closed.append(await close(5))

    task = await cancelled_at(1, 3, of=work())

    assert task.cancelled()
    assert closed == []


async def test_a_second_cancellation_does_not_cut_a_cleanup_short():
    closed = []

    async def close_all():
        closed.append(await close(5))

    async def work():
        try:
            await asyncio.sleep(100)
        finally:
            await cleanup(close_all)

    task = await cancelled_at(1, 3, 4, of=work())

    assert task.cancelled()
    assert closed == ["closed"]
    assert now() == pytest.approx(6)


async def test_a_cancellation_that_comes_meanwhile_is_raised_afterwards_and_all_are_counted():
    caught = []

    async def work():
        try:
            await cleanup(close, 5)
        except asyncio.CancelledError as error:
            caught.append((error, now(), asyncio.current_task().cancelling()))
            raise

    task = await cancelled_at(1, 2, of=work())

    ((error, when, count),) = caught
    assert task.cancelled()
    assert str(cancel_reason(error)) == "request 1"
    assert when == pytest.approx(5)
    assert count == 2
    assert attached(error) == ()
    assert "join" not in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


async def test_a_cancellation_carries_the_error_of_the_cleanup_that_it_met():
    error = OSError("close failed")
    task = asyncio.create_task(cleanup(fail, 5, error))
    asyncio.get_running_loop().call_later(1, task.cancel)

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert attached(caught.value) == (error,)
    assert task.cancelling() == 1


async def test_an_error_replaces_the_cancellation_in_a_plain_cleanup():
    """This is Python's own behaviour."""

    async def work():
        try:
            await asyncio.sleep(100)
        finally:
            await fail()

    task = await cancelled_at(1, of=work())

    assert isinstance(task.exception(), OSError)


async def test_an_error_does_not_replace_the_cancellation_that_is_being_handled():
    error = OSError("close failed")

    async def work():
        try:
            await asyncio.sleep(100)
        finally:
            await cleanup(fail, 1, error)

    task = asyncio.create_task(work())
    asyncio.get_running_loop().call_later(1, task.cancel, "enough")

    with pytest.raises(asyncio.CancelledError, match="enough") as caught:
        await task
    assert attached(caught.value) == (error,)
    assert error.__context__ is None


RETURNS_IN_FINALLY = """
async def work():
    try:
        await asyncio.sleep(100)
    finally:
        await cleanup(close)
        return asyncio.current_task().cancelling()
"""


async def test_a_return_in_finally_swallows_the_cancellation_and_the_count_still_tells():
    """No library can change that: the frame's own return comes last."""
    names = dict(globals())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # Python 3.14 warns of it
        exec(RETURNS_IN_FINALLY, names)

    task = await cancelled_at(1, of=names["work"]())

    assert task.result() == 1


async def test_the_cancellation_of_a_child_that_is_being_handled_is_not_the_callers():
    child = asyncio.create_task(close(100))
    asyncio.get_running_loop().call_later(1, child.cancel)

    with pytest.raises(OSError, match="close failed"):
        try:
            await child
        finally:
            await cleanup(fail)


async def test_another_error_that_is_being_handled_stays_the_context():
    body_error = ValueError("of the body")

    with pytest.raises(OSError, match="close failed") as caught:
        try:
            raise body_error
        finally:
            await cleanup(fail)
    assert caught.value.__context__ is body_error


async def test_an_error_does_not_replace_a_stop_that_is_being_handled(reports):
    error = OSError("close failed")

    with pytest.raises(SystemExit) as caught:
        try:
            raise SystemExit(3)
        finally:
            await cleanup(fail, 1, error)
    assert attached(caught.value) == (error,)
    ((reported, what),) = reports
    assert reported.exceptions == (error,)
    assert "SystemExit" in what


async def test_a_timeout_around_it_fires_after_it_and_comes_out():
    closed = []

    async def close_all():
        closed.append(await close(5))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await cleanup(close_all)
    assert closed == ["closed"]
    assert asyncio.current_task().cancelling() == 0


async def test_a_timeout_that_fires_over_a_failing_cleanup_comes_out_with_the_error():
    error = OSError("close failed")

    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(1):
            try:
                await asyncio.sleep(100)
            finally:
                await cleanup(fail, 1, error)
    assert attached(caught.value.__cause__) == (error,)


async def test_a_cancellation_that_was_asked_for_before_waits_for_the_end():
    closed = []

    async def close_all():
        closed.append(await close())

    async def work():
        asyncio.current_task().cancel("at once")
        await cleanup(close_all)

    task = await cancelled_at(of=work())

    assert task.cancelled()
    assert closed == ["closed"]


async def test_what_hangs_is_cancelled_when_its_time_is_up():
    with pytest.raises(DeadlineExceeded, match=r"cleanup close of 3 s exceeded after 3 s") as caught:
        await cleanup(close, 100, timeout=3)
    assert now() == pytest.approx(3)
    assert caught.value.errors == ()
    assert str(cancel_reason(caught.value.__cause__)) == "cleanup close of 3 s exceeded"
    assert cancel_reason(caught.value.__cause__).who == "cleanup close"


async def test_there_is_a_limit_if_none_is_given():
    with pytest.raises(DeadlineExceeded):
        await cleanup(close, 1e9)
    assert now() == pytest.approx(CLEANUP_TIMEOUT)


async def test_none_is_no_limit():
    assert await cleanup(close, 1e6, timeout=None) == "closed"


async def test_a_limit_of_nothing_leaves_it_one_step():
    steps = []

    async def step():
        steps.append(1)
        await asyncio.sleep(0.1)
        steps.append(2)

    with pytest.raises(DeadlineExceeded):
        await cleanup(step, timeout=0)
    assert steps == [1]


async def test_what_it_raises_when_its_time_is_up_is_with_the_deadline():
    async def fails_when_cancelled():
        try:
            await asyncio.sleep(100)
        finally:
            raise OSError("half closed")

    with pytest.raises(DeadlineExceeded) as caught:
        await cleanup(fails_when_cancelled, timeout=1)
    (error,) = caught.value.errors
    assert isinstance(error, OSError)
    assert caught.value.__cause__ is error


async def test_a_value_that_it_comes_to_when_its_time_is_up_counts():
    async def gives_up():
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            return "closed by force"

    assert await cleanup(gives_up, timeout=1) == "closed by force"


async def test_an_error_of_its_own_that_is_a_timeout_is_not_taken_for_the_limit():
    error = TimeoutError("the peer's")

    with pytest.raises(TimeoutError, match="the peer's") as caught:
        await cleanup(fail, 1, error)
    assert caught.value is error


async def test_a_cancellation_carries_the_deadline_too():
    task = asyncio.create_task(cleanup(close, 100, timeout=3))
    asyncio.get_running_loop().call_later(1, task.cancel)

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    (exceeded,) = attached(caught.value)
    assert isinstance(exceeded, DeadlineExceeded)


async def test_what_does_not_stop_is_left_and_said_to_be(events, capsys):
    with pytest.raises(DeadlineExceeded) as caught:
        await cleanup(ignore_cancellation, 60, timeout=3, name="drain")
    assert now() == pytest.approx(4)
    (note,) = caught.value.__notes__
    assert note.startswith("task 'drain': cancellation requested 1.0 s ago, still running at ")
    assert note in capsys.readouterr().err
    ((left),) = events
    assert isinstance(left, StillRunning)
    assert left.name == "drain"
    await asyncio.sleep(60)


async def test_what_was_left_and_fails_is_reported(reports, capsys):
    error = OSError("much later")

    async def fails_late():
        await ignore_cancellation(60)
        raise error

    with pytest.raises(DeadlineExceeded):
        await cleanup(fails_late, timeout=3)
    await asyncio.sleep(100)

    ((reported, what),) = reports
    assert reported is error
    assert what == "cleanup fails_late failed; its caller went on without it 56.0 s ago"


async def test_what_was_left_and_comes_to_a_value_tells_it(events, capsys):
    async def closes_late():
        await ignore_cancellation(60)
        return "closed"

    with pytest.raises(DeadlineExceeded):
        await cleanup(closes_late, timeout=3)
    await asyncio.sleep(100)

    assert events[-1] == LateValue("cleanup closes_late", "closed")


def test_a_stop_in_what_was_left_ends_the_loop_and_is_reported(reports, capsys):
    async def stops_late():
        await ignore_cancellation(0.05)
        raise SystemExit(3)

    async def main():
        with pytest.raises(DeadlineExceeded):
            await cleanup(stops_late, timeout=0)
        await asyncio.sleep(100)

    loop = NoGrace()
    try:
        main_task = loop.create_task(main())
        with pytest.raises(SystemExit):
            loop.run_until_complete(main_task)
        main_task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(main_task)
    finally:
        loop.close()
    assert isinstance(reports[0][0], SystemExit)


class NoGrace(asyncio.SelectorEventLoop):
    """A loop on which the grace that a task is given is over at once."""

    def call_later(self, delay, callback, *args, context=None):
        return super().call_later(0 if delay == 1.0 else delay, callback, *args, context=context)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_a_stop_comes_out_bare(kind):
    stop = kind()

    with pytest.raises(kind) as caught:
        await cleanup(fail, 1, stop)
    assert caught.value is stop


async def test_a_stop_wins_over_the_time_that_is_up():
    async def stops_when_cancelled():
        try:
            await asyncio.sleep(100)
        finally:
            raise SystemExit(3)

    with pytest.raises(SystemExit):
        await cleanup(stops_when_cancelled, timeout=1)


async def test_a_stop_wins_over_a_cancellation_and_carries_it(reports):
    caught = []

    async def work():
        with pytest.raises(SystemExit) as stopped:
            await cleanup(fail, 2, SystemExit(3))
        caught.append(stopped.value)

    task = await cancelled_at(1, of=work())

    assert [type(error) for error in attached(caught[0])] == [asyncio.CancelledError]
    assert task.cancelling() == 1
    assert reports == []


async def test_a_child_that_is_cancelled_from_elsewhere_is_not_the_callers_cancellation():
    async def cancels_itself():
        asyncio.current_task().cancel("suicide")
        await asyncio.sleep(1)

    with pytest.raises(ChildCancelled, match="cleanup cancels_itself was cancelled: suicide") as caught:
        await cleanup(cancels_itself)
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


async def test_a_child_that_is_cancelled_before_its_first_step_is_told_of():
    calling = asyncio.create_task(cleanup(close))
    asyncio.get_running_loop().call_soon(cancel_all_but, calling, asyncio.current_task())

    with pytest.raises(ChildCancelled, match="cleanup close was cancelled: at the end"):
        await calling


def cancel_all_but(*tasks):
    for task in asyncio.all_tasks() - set(tasks):
        task.cancel("at the end")


async def test_a_caller_that_is_closed_leaves_it_and_its_error_is_reported(reports):
    error = OSError("close failed")

    async def closed_while_it_waits():
        # driven by hand, as a generator is that nobody finishes
        waiting = cleanup(fail, 1, error)
        waiting.send(None)
        waiting.close()

    await closed_while_it_waits()
    await asyncio.sleep(5)

    assert [reported for reported, _ in reports] == [error]


async def test_it_sees_the_callers_context_variables_and_keeps_its_own():
    async def change():
        seen = variable.get()
        variable.set("of the cleanup")
        return seen

    variable.set("of the caller")

    assert await cleanup(change) == "of the caller"
    assert variable.get() == "of the caller"


async def test_what_is_tied_to_its_task_cannot_be_closed_in_it():
    group = asyncio.TaskGroup()
    await group.__aenter__()
    owner = asyncio.current_task()

    async def where_am_i():
        return asyncio.current_task() is owner

    assert not await cleanup(where_am_i)
    await group.__aexit__(None, None, None)


async def test_a_coroutine_object_is_refused_and_closed():
    coroutine = close()

    with pytest.raises(UsageError, match=r"Write cleanup\(close, ...\)"):
        await cleanup(coroutine)
    with pytest.raises(RuntimeError, match="cannot reuse"):
        await coroutine


async def test_a_function_that_is_not_async_is_named():
    with pytest.raises(UsageError, match=r"cleanup\(len\) needs an async function"):
        await cleanup(len, "four")


@pytest.mark.parametrize("timeout", ["3", True, float("nan")])
async def test_a_timeout_that_is_no_number_is_refused(timeout):
    with pytest.raises(UsageError, match="timeout="):
        await cleanup(close, timeout=timeout)


class Local:
    pass


@pytest.mark.parametrize("seconds", [1, 100])
@pytest.mark.parametrize("cancel", [False, True])
@pytest.mark.parametrize("is_handling", [False, True])
async def test_its_frames_are_freed_without_the_collector(seconds, cancel, is_handling):
    alive = weakref.WeakSet()

    async def fails():
        local = Local()
        alive.add(local)
        await asyncio.sleep(seconds)
        raise OSError(local)

    async def calls():
        try:
            if is_handling:
                raise ValueError
        finally:
            await cleanup(fails, timeout=50)

    async def run():
        task = asyncio.create_task(calls())
        if cancel:
            asyncio.get_running_loop().call_later(0.5, task.cancel)
        await asyncio.wait({task})
        assert task.cancelled() or task.exception() is not None
        del task

    gc.collect()
    gc.disable()
    try:
        await run()
        await asyncio.sleep(0)

        assert len(alive) == 0
    finally:
        gc.enable()
