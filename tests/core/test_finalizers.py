import asyncio
import contextlib
import gc
import weakref
from contextvars import ContextVar

import anyio
import pytest

from unlost._core import listen, report_to
from unlost._core._stubborn import StillRunning
from unlost._core.cleaning._finalizers import Finalizers
from unlost.errors import ChildCancelled, DeadlineExceeded, UsageError, attached

variable = ContextVar("variable", default="untouched")


@pytest.fixture
def reports():
    found = []
    with report_to(lambda error, what: found.append((error, what))):
        yield found


def now():
    return asyncio.get_running_loop().time()


async def close(log, what, seconds=1):
    await asyncio.sleep(seconds)
    log.append(what)


async def fail(error, seconds=1):
    await asyncio.sleep(seconds)
    raise error


def fail_at_once(error):
    raise error


class Told:
    """What a context manager is told to do on leaving, and a log of what it was shown."""

    def __init__(self, log=None, error=None, *, suppress=False, seconds=0):
        self.log = [] if log is None else log
        self.error = error
        self.suppress = suppress
        self.seconds = seconds

    def leave(self, error):
        self.log.append(error)
        if self.error is not None:
            raise self.error
        return self.suppress


class Resource(Told):
    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, traceback):
        await asyncio.sleep(self.seconds)
        return self.leave(error)


class SyncResource(Told):
    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        return self.leave(error)


async def ended(task):
    await asyncio.wait({task})
    return task


async def test_all_run_in_reverse():
    log = []
    async with Finalizers() as finalizers:
        finalizers.push(log.append, "not async")
        finalizers.push(close, log, "async")
        finalizers.push(lambda: close(log, "returns an awaitable"))
        assert log == []

    assert log == ["returns an awaitable", "async", "not async"]


async def test_what_fails_does_not_keep_the_others_from_running():
    log = []
    with pytest.raises(ExceptionGroup):
        async with Finalizers() as finalizers:
            finalizers.push(log.append, "first")
            finalizers.push(fail, OSError("of the second"))
            finalizers.push(fail_at_once, OSError("of the third"))

    assert log == ["first"]


async def test_all_errors_come_out_in_one_group():
    first, second = OSError("1"), KeyError("2")

    with pytest.raises(ExceptionGroup, match="resources: 2 failed") as caught:
        async with Finalizers(name="resources") as finalizers:
            finalizers.push(fail, second)
            finalizers.push(fail_at_once, first)
    assert caught.value.exceptions == (first, second)


async def test_a_single_error_comes_out_in_a_group_too():
    error = OSError("1")

    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers() as finalizers:
            finalizers.push(fail, error)
    assert caught.value.exceptions == (error,)


async def test_the_group_is_a_base_one_where_a_member_is_no_exception():
    class Odd(BaseException):
        pass

    with pytest.raises(BaseExceptionGroup) as caught:
        async with Finalizers() as finalizers:
            finalizers.push(fail, Odd())
    assert not isinstance(caught.value, ExceptionGroup)


async def test_the_blocks_own_error_wins_and_carries_the_rest():
    body_error, first, second = ValueError("of the body"), OSError("1"), KeyError("2")

    with pytest.raises(ValueError, match="of the body") as caught:
        async with Finalizers() as finalizers:
            finalizers.push(fail_at_once, second)
            finalizers.push(fail, first)
            raise body_error
    assert caught.value is body_error
    assert attached(body_error) == (first, second)


async def test_what_is_attached_has_no_context_that_leads_back():
    body_error, error = ValueError("of the body"), OSError("1")

    with pytest.raises(ValueError, match="of the body"):
        async with Finalizers() as finalizers:
            finalizers.push(fail_at_once, error)  # Python chains: it is called while body_error is being handled
            raise body_error
    assert error.__context__ is None


async def test_a_cancellation_of_the_block_wins_and_carries_the_rest():
    error = OSError("1")

    async def work():
        async with Finalizers() as finalizers:
            finalizers.push(fail, error)
            await asyncio.sleep(100)

    task = asyncio.create_task(work())
    asyncio.get_running_loop().call_later(1, task.cancel, "enough")

    with pytest.raises(asyncio.CancelledError, match="enough") as caught:
        await task
    assert attached(caught.value) == (error,)
    assert task.cancelling() == 1


async def test_a_cancellation_while_they_run_comes_out_when_all_have_run_and_carries_everything():
    log, body_error, error = [], ValueError("of the body"), OSError("1")

    async def work():
        async with Finalizers() as finalizers:
            finalizers.push(log.append, "first")
            finalizers.push(close, log, "second", 5)
            finalizers.push(fail, error, 5)
            raise body_error

    task = asyncio.create_task(work())
    asyncio.get_running_loop().call_later(2, task.cancel, "enough")
    asyncio.get_running_loop().call_later(7, task.cancel, "really")

    with pytest.raises(asyncio.CancelledError, match="enough") as caught:
        await task
    assert log == ["second", "first"]
    assert now() == pytest.approx(10)
    assert attached(caught.value)[:2] == (body_error, error)
    assert task.cancelling() == 2


async def test_each_has_its_own_time_and_what_hangs_keeps_no_other_from_running():
    log = []
    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers(timeout=3, name="resources") as finalizers:
            finalizers.push(log.append, "first")
            finalizers.push(close, log, "second", 100)
            finalizers.push(close, log, "third", 2)
            finalizers.push(close, log, "fourth", 100)

    assert log == ["third", "first"]
    assert [type(error) for error in caught.value.exceptions] == [DeadlineExceeded, DeadlineExceeded]
    assert "resources: close of 3 s exceeded" in str(caught.value.exceptions[0])


@pytest.mark.parametrize("stopping", [fail, fail_at_once])
async def test_a_stop_comes_out_bare_when_all_have_run_with_the_rest_attached_and_reported(stopping, reports):
    log, body_error, error, stop = [], ValueError("of the body"), OSError("1"), SystemExit(3)

    with pytest.raises(SystemExit) as caught:
        async with Finalizers() as finalizers:
            finalizers.push(log.append, "first")
            finalizers.push(fail, error)
            finalizers.push(stopping, stop)
            raise body_error
    assert log == ["first"]
    assert caught.value is stop
    assert attached(stop) == (body_error, error)
    ((group, what),) = reports
    assert group.exceptions == (body_error, error)
    assert what == "finalizers ended with SystemExit"


async def test_a_stop_of_the_block_wins_and_errors_are_reported_too(reports):
    error = OSError("1")

    with pytest.raises(KeyboardInterrupt) as caught:
        async with Finalizers() as finalizers:
            finalizers.push(fail, error)
            raise KeyboardInterrupt
    assert attached(caught.value) == (error,)
    assert [group.exceptions for group, _ in reports] == [(error,)]


async def test_a_function_that_is_not_async_runs_in_the_blocks_own_context():
    async with Finalizers() as finalizers:
        finalizers.push(variable.reset, variable.set("inside"))
        assert variable.get() == "inside"

    assert variable.get() == "untouched"


async def test_a_finalizer_that_meets_something_cancelled_is_not_the_callers_cancellation():
    future = asyncio.get_running_loop().create_future()
    future.cancel("unwanted")

    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers() as finalizers:
            finalizers.push(future.result)
            finalizers.push(lambda: future)
    assert [type(error) for error in caught.value.exceptions] == [ChildCancelled, ChildCancelled]
    assert "unwanted" in str(caught.value.exceptions[0])


async def test_a_finalizer_may_push_another_one():
    log = []
    async with Finalizers() as finalizers:
        finalizers.push(lambda: finalizers.push(log.append, "late"))

    assert log == ["late"]


@pytest.mark.parametrize("kind", [Resource, SyncResource])
@pytest.mark.parametrize("shield", [False, True])
async def test_a_context_manager_is_entered_and_shown_the_blocks_error(kind, shield):
    resource, body_error = kind(), ValueError("of the body")

    with pytest.raises(ValueError, match="of the body") as caught:
        async with Finalizers() as finalizers:
            assert await finalizers.enter(resource, shield=shield) is resource
            raise body_error
    assert resource.log == [body_error]
    assert caught.value is body_error


async def test_a_context_manager_is_shown_nothing_where_there_is_nothing():
    resource = Resource()
    async with Finalizers() as finalizers:
        await finalizers.enter(resource)

    assert resource.log == [None]


async def test_a_context_manager_is_shown_the_group_of_what_was_raised_before_it():
    resource, error = Resource(), OSError("1")

    with pytest.raises(ExceptionGroup):
        async with Finalizers() as finalizers:
            await finalizers.enter(resource)
            finalizers.push(fail, error)
    assert resource.log[0].exceptions == (error,)


@pytest.mark.parametrize("kind", [Resource, SyncResource])
@pytest.mark.parametrize("shield", [False, True])
async def test_a_context_manager_may_suppress_what_it_is_shown(kind, shield):
    outer = Resource()
    async with Finalizers() as finalizers:
        await finalizers.enter(outer)
        await finalizers.enter(kind(suppress=True), shield=shield)
        raise ValueError("of the body")

    assert outer.log == [None]


async def test_what_is_suppressed_takes_no_finalizers_error_with_it():
    error = OSError("1")

    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers() as finalizers:
            await finalizers.enter(contextlib.suppress(ValueError))
            finalizers.push(fail, error)
            raise ValueError("of the body")
    assert caught.value.exceptions == (error,)


@pytest.mark.parametrize("shield", [False, True])
async def test_what_was_raised_before_can_be_suppressed_as_a_group(shield):
    async with Finalizers() as finalizers:
        await finalizers.enter(Resource(suppress=True), shield=shield)
        finalizers.push(fail, OSError("1"))
        finalizers.push(fail, OSError("2"))


@pytest.mark.parametrize("kind", [Resource, SyncResource])
@pytest.mark.parametrize("shield", [False, True])
async def test_raising_what_it_is_shown_changes_nothing(kind, shield):
    class RaisesAgain(kind):
        def leave(self, error):
            raise error

    body_error = ValueError("of the body")

    with pytest.raises(ValueError, match="of the body") as caught:
        async with Finalizers() as finalizers:
            await finalizers.enter(RaisesAgain(), shield=shield)
            raise body_error
    assert caught.value is body_error
    assert attached(body_error) == ()
    assert [entry.name for entry in caught.traceback] == [
        "test_raising_what_it_is_shown_changes_nothing",
    ]


async def test_tracebacks_begin_in_the_finalizers_own_functions():
    errors = OSError("1"), OSError("2"), OSError("3"), OSError("4")

    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers() as finalizers:
            finalizers.push(fail, errors[0])
            finalizers.push(fail_at_once, errors[1])
            await finalizers.enter(Resource(error=errors[2]))
            await finalizers.enter(Resource(error=errors[3]), shield=True)
    first_frames = [error.__traceback__.tb_frame.f_code.co_name for error in caught.value.exceptions]
    assert first_frames == ["__aexit__", "__aexit__", "fail_at_once", "fail"]


async def test_a_context_manager_that_cannot_wait_is_left_in_the_blocks_task_even_where_a_shield_was_asked_for():
    tasks = []

    class Notes(SyncResource):
        def __exit__(self, kind, error, traceback):
            tasks.append(asyncio.current_task())

    async with Finalizers() as finalizers:
        await finalizers.enter(Notes(), shield=True)

    assert tasks == [asyncio.current_task()]


async def test_leaving_that_meets_something_cancelled_is_not_the_callers_cancellation():
    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers() as finalizers:
            await finalizers.enter(Resource(error=asyncio.CancelledError("unwanted")))
    (error,) = caught.value.exceptions
    assert isinstance(error, ChildCancelled)
    assert "unwanted" in str(error)


@pytest.mark.parametrize("shield", [False, True])
async def test_an_error_of_leaving_is_attached_to_the_blocks(shield):
    body_error, error = ValueError("of the body"), OSError("1")

    with pytest.raises(ValueError, match="of the body"):
        async with Finalizers() as finalizers:
            await finalizers.enter(Resource(error=error), shield=shield)
            raise body_error
    assert attached(body_error) == (error,)
    assert error.__context__ is None


@contextlib.asynccontextmanager
async def translating():
    try:
        yield
    except KeyError as error:
        raise LookupError("translated") from error


@pytest.mark.parametrize("shield", [False, True])
async def test_a_translation_replaces_what_it_names_as_its_cause(shield):
    error = OSError("1")

    with pytest.raises(LookupError, match="translated") as caught:
        async with Finalizers() as finalizers:
            finalizers.push(fail, error)
            await finalizers.enter(translating(), shield=shield)
            raise KeyError("of the body")
    assert isinstance(caught.value.__cause__, KeyError)
    assert attached(caught.value) == (error,)


async def test_a_group_replaces_what_it_holds():
    body_error = ValueError("of the body")

    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers() as finalizers:
            await finalizers.enter(asyncio.TaskGroup())
            raise body_error
    assert caught.value.exceptions == (body_error,)


async def test_a_group_that_was_entered_ends_its_own_cancellation():
    error = OSError("of the child")

    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers() as finalizers:
            group = await finalizers.enter(asyncio.TaskGroup())
            group.create_task(fail(error))
            await asyncio.sleep(100)
    assert caught.value.exceptions == (error,)
    assert asyncio.current_task().cancelling() == 0


async def test_a_cancellation_that_is_not_the_callers_may_be_translated():
    @contextlib.asynccontextmanager
    async def translating_cancellations():
        try:
            yield
        except asyncio.CancelledError as error:
            raise LookupError("translated") from error

    future = asyncio.get_running_loop().create_future()
    future.cancel()

    with pytest.raises(LookupError, match="translated"):
        async with Finalizers() as finalizers:
            await finalizers.enter(translating_cancellations())
            await future


async def test_no_translation_replaces_a_cancellation_from_outside():
    @contextlib.asynccontextmanager
    async def too_broad():
        try:
            yield
        except BaseException as error:
            raise LookupError("translated") from error

    async def work():
        async with Finalizers() as finalizers:
            await finalizers.enter(too_broad())
            await asyncio.sleep(100)

    task = asyncio.create_task(work())
    asyncio.get_running_loop().call_later(1, task.cancel)

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert [type(error) for error in attached(caught.value)] == [LookupError]


async def test_a_timeout_that_was_entered_ends_its_own_cancellation():
    log = []
    with pytest.raises(TimeoutError):
        async with Finalizers() as finalizers:
            await finalizers.enter(asyncio.timeout(1))
            finalizers.push(close, log, "closed", 5)
            await asyncio.sleep(100)

    assert log == ["closed"]
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.asyncio(loop_factories=["asyncio"])  # anyio's scopes do not know eager tasks
async def test_a_scope_that_is_tied_to_its_task_is_left_in_it():
    async with Finalizers() as finalizers:
        scope = await finalizers.enter(anyio.move_on_after(1))
        group = await finalizers.enter(anyio.create_task_group())
        group.start_soon(anyio.sleep, 0.5)
        await anyio.sleep(100)

    assert scope.cancelled_caught
    assert now() == pytest.approx(1)


async def test_a_scope_that_is_tied_to_its_task_cannot_be_left_shielded():
    with pytest.raises(BaseExceptionGroup) as caught:
        async with Finalizers() as finalizers:
            await finalizers.enter(anyio.create_task_group(), shield=True)

    assert "different task" in str(caught.value.exceptions[0])


async def test_a_cancellation_reaches_what_is_left_in_the_blocks_task_and_all_others_run():
    log = []

    async def work():
        async with Finalizers() as finalizers:
            finalizers.push(close, log, "first", 5)
            await finalizers.enter(Resource(seconds=100))

    task = asyncio.create_task(work())
    asyncio.get_running_loop().call_later(2, task.cancel, "enough")

    with pytest.raises(asyncio.CancelledError, match="enough"):
        await task
    assert log == ["first"]
    assert now() == pytest.approx(7)


async def test_a_cancellation_does_not_reach_what_is_left_shielded():
    resource = Resource(seconds=5)
    left = []

    class Slow(Resource):
        async def __aexit__(self, kind, error, traceback):
            await asyncio.sleep(5)
            left.append(now())

    async def work():
        async with Finalizers() as finalizers:
            await finalizers.enter(Slow(), shield=True)
            await finalizers.enter(resource)

    task = asyncio.create_task(work())
    asyncio.get_running_loop().call_later(7, task.cancel, "enough")

    with pytest.raises(asyncio.CancelledError, match="enough"):
        await task
    assert left == [pytest.approx(10)]


@pytest.mark.parametrize("shield", [False, True])
async def test_leaving_is_bounded_too(shield):
    log = []
    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers(timeout=3) as finalizers:
            finalizers.push(close, log, "first", 2)
            await finalizers.enter(Resource(seconds=100), shield=shield)

    (exceeded,) = caught.value.exceptions
    assert isinstance(exceeded, DeadlineExceeded)
    assert exceeded.elapsed == pytest.approx(3)
    assert log == ["first"]
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("shield", [False, True])
async def test_what_leaving_raises_when_its_time_is_up_is_with_the_deadline(shield):
    error = OSError("half closed")

    class FailsWhenCancelled(Resource):
        async def __aexit__(self, kind, error_shown, traceback):
            try:
                await asyncio.sleep(100)
            finally:
                raise error

    with pytest.raises(ExceptionGroup) as caught:
        async with Finalizers(timeout=3) as finalizers:
            await finalizers.enter(FailsWhenCancelled(), shield=shield)
    (exceeded,) = caught.value.exceptions
    assert isinstance(exceeded, DeadlineExceeded)
    assert exceeded.errors == (error,)


async def test_a_limit_and_a_cancellation_from_outside_both_come_out():
    async def work():
        async with Finalizers(timeout=3) as finalizers:
            await finalizers.enter(Resource(seconds=100))

    task = asyncio.create_task(work())
    asyncio.get_running_loop().call_later(3, task.cancel)

    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert [type(error) for error in attached(caught.value)] in ([DeadlineExceeded], [])
    assert task.cancelling() == 1


async def test_what_ignores_its_limit_in_the_blocks_task_is_named(capsys):
    class Stubborn(Resource):
        async def __aexit__(self, kind, error, traceback):
            end = now() + 60
            while now() < end:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(end - now())

    events = []
    with listen(events.append):
        async with Finalizers(timeout=3) as finalizers:
            await finalizers.enter(Stubborn())

    assert isinstance(events[0], StillRunning)
    assert "finalizers: Stubborn: task" in capsys.readouterr().err
    assert asyncio.current_task().cancelling() == 0


async def test_a_failed_entry_is_not_left():
    class Refuses(Resource):
        async def __aenter__(self):
            raise OSError("no connection")

    resource = Refuses()

    with pytest.raises(OSError, match="no connection"):
        async with Finalizers() as finalizers:
            await finalizers.enter(resource)
    assert resource.log == []


async def test_entering_in_another_task_is_refused():
    async with Finalizers() as finalizers:
        task = await ended(asyncio.create_task(finalizers.enter(Resource())))

    with pytest.raises(UsageError, match="Write it in the task that entered the block"):
        task.result()


async def test_what_is_no_context_manager_is_refused():
    async with Finalizers() as finalizers:
        with pytest.raises(UsageError, match="which is no context manager"):
            await finalizers.enter(object())


async def test_a_coroutine_object_is_refused_and_closed():
    coroutine = fail(OSError())
    async with Finalizers() as finalizers:
        with pytest.raises(UsageError, match=r"Write finalizers\.push\(fail, \.\.\.\)"):
            finalizers.push(coroutine)

    with pytest.raises(RuntimeError, match="cannot reuse"):
        await coroutine


async def test_pushing_outside_of_the_block_is_refused():
    finalizers = Finalizers()
    with pytest.raises(UsageError, match="was not entered"):
        finalizers.push(print)
    async with finalizers:
        pass

    with pytest.raises(UsageError, match="has ended"):
        finalizers.push(print)
    with pytest.raises(UsageError, match="anew for each block"):
        await finalizers.__aenter__()


async def test_a_block_that_is_closed_while_a_finalizer_runs_says_what_is_left_over(reports, capsys):
    error, late = OSError("1"), OSError("2")

    async def work():
        async with Finalizers() as finalizers:
            finalizers.push(print, "never")
            finalizers.push(fail, late, 1)
            finalizers.push(fail_at_once, error)

    # driven by hand, as a coroutine is that nobody finishes
    driven = work()
    driven.send(None)
    driven.close()
    await asyncio.sleep(5)

    assert [reported for reported, _ in reports] == [error, late]
    assert "1 finalizers never ran" in capsys.readouterr().err


async def test_a_block_that_is_closed_while_a_context_manager_is_left_leaves_the_others():
    log = []

    async def work():
        async with Finalizers() as finalizers:
            finalizers.push(log.append, "first")
            await finalizers.enter(Resource(seconds=1))

    driven = work()
    driven.send(None)
    driven.close()

    assert log == []


async def test_a_finalizer_that_is_cancelled_before_its_first_step_leaves_nothing_unawaited():
    async def work():
        async with Finalizers() as finalizers:
            finalizers.push(fail, OSError())

    working = asyncio.create_task(work())
    asyncio.get_running_loop().call_soon(cancel_all_but, working, asyncio.current_task())

    with pytest.raises(ExceptionGroup) as caught:
        await working
    assert isinstance(caught.value.exceptions[0], ChildCancelled)
    gc.collect()  # a warning would be an error


def cancel_all_but(*tasks):
    for task in asyncio.all_tasks() - set(tasks):
        task.cancel("at the end")


class Local:
    pass


@pytest.mark.parametrize("body", [None, ValueError, asyncio.CancelledError])
@pytest.mark.parametrize("way", ["push", "push sync", "enter", "enter shielded", "cancelled"])
async def test_its_frames_are_freed_without_the_collector(body, way):
    alive = weakref.WeakSet()

    class Fails(Resource):
        async def __aexit__(self, kind, error, traceback):
            del error, traceback  # a frame that holds what its own error is attached to is a cycle of the user's
            local = Local()
            alive.add(local)
            await asyncio.sleep(1)
            raise OSError(local)

    def fails_at_once():
        local = Local()
        alive.add(local)
        raise OSError(local)

    async def work():
        await asyncio.sleep(0)  # started eagerly, its frames would refer to who started it
        async with Finalizers() as finalizers:
            if way == "push sync":
                finalizers.push(fails_at_once)
            elif way.startswith("enter"):
                await finalizers.enter(Fails(), shield="shielded" in way)
            else:
                finalizers.push(Fails().__aexit__, None, None, None)
            if body is not None:
                raise body("of the body")

    async def run():
        task = asyncio.create_task(work())
        if way == "cancelled":
            asyncio.get_running_loop().call_later(0.5, task.cancel)
        await asyncio.wait({task})
        assert task.cancelled() or task.exception() is not None

    gc.collect()
    gc.disable()
    try:
        await run()
        await asyncio.sleep(0)

        assert len(alive) == 0
    finally:
        gc.enable()
