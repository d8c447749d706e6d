import asyncio
import contextvars

import pytest

from unlost._core import (
    CancellationSwallowed,
    Cancelled,
    Continue,
    Failure,
    Stop,
    TaskGroup,
    Value,
    cancel_reason,
    cleanup,
    collect,
    forgive,
    forgiven,
    listen,
    partial,
    quorum,
    receipt,
    report_to,
    take_unheard,
    tolerate,
    wait_all,
)
from unlost.errors import ChildCancelled, ChildFailed, UsageError


async def value(result, after=0):
    await asyncio.sleep(after)
    return result


async def failing(error, after=0):
    await asyncio.sleep(after)
    raise error


async def for_ever():
    await asyncio.sleep(10_000)


async def fails_when_cancelled(error):
    try:
        await asyncio.sleep(1000)
    finally:
        raise error


@pytest.fixture(autouse=True)
def nothing_counted_before():
    take_unheard()
    yield
    take_unheard()


async def test_it_is_an_asyncio_task_group():
    async with TaskGroup() as group:
        task = group.create_task(value(1), name="one")

    assert isinstance(group, asyncio.TaskGroup)
    assert (task.result(), task.get_name()) == (1, "one")


async def test_outcomes_and_values_come_in_the_order_of_starts():
    async with TaskGroup() as group:
        group.start_soon(value, "slow", 2)
        group.start_soon(value, "fast", 1)

    assert [outcome.value for outcome in group.outcomes] == ["slow", "fast"]
    assert [outcome.key for outcome in group.outcomes] == ["value", "value"]
    assert group.result == ["slow", "fast"]


async def test_a_handle_can_be_awaited_inside_of_the_block():
    async with TaskGroup() as group:
        handle = group.start_soon(value, "there", 1)
        assert handle.status == "running"
        assert await handle == "there"

    assert handle.status == "returned"
    assert isinstance(handle.outcome, Value)


async def test_outcomes_while_the_block_runs_are_those_of_the_ended():
    async with TaskGroup() as group:
        group.start_soon(for_ever)
        await group.start_soon(value, 1)
        assert [outcome.index for outcome in group.outcomes] == [1]
        group.cancel()


async def test_all_failures_come_out_as_one_group_with_the_outcomes():
    first, late = OSError("first"), ValueError("late")

    with pytest.raises(ExceptionGroup, match="unhandled errors in a TaskGroup") as caught:
        async with TaskGroup() as group:
            group.start_soon(fails_when_cancelled, late)
            group.start_soon(failing, first, 1)
            group.start_soon(value, "there")
            await asyncio.sleep(1000)

    assert caught.value.exceptions == (first, late)
    assert partial(caught.value) == group.outcomes
    assert [type(outcome) for outcome in group.outcomes] == [Failure, Failure, Value]


async def test_when_the_error_is_gone_so_are_the_outcomes_and_that_is_said():
    group = TaskGroup()
    try:
        async with group:
            group.start_soon(failing, OSError())
    except* OSError:
        pass

    with pytest.raises(UsageError, match=r"unlost\.partial"):
        group.outcomes  # noqa: B018  # reading it raises
    with pytest.raises(UsageError, match="it raised"):
        group.result  # noqa: B018  # as above


async def test_the_bodys_error_is_in_the_group_too():
    own, late = KeyError("own"), OSError("late")

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            group.start_soon(fails_when_cancelled, late)
            await asyncio.sleep(1)
            raise own

    assert caught.value.exceptions == (late, own)


async def test_a_sibling_is_told_why_it_is_cancelled_and_by_whom():
    told = []

    async def sibling():
        try:
            await for_ever()
        except asyncio.CancelledError as cancellation:
            told.append(cancel_reason(cancellation))
            raise

    with pytest.raises(ExceptionGroup):
        async with TaskGroup() as group:
            group.start_soon(sibling)
            group.start_soon(failing, OSError("gone"), 1)

    assert told == ["a sibling failed: OSError: gone"]
    assert told[0].who.startswith("unlost.TaskGroup of ")
    assert told[0].asked_at > 0


async def test_cancel_ends_the_block_and_its_body_without_an_error():
    reached = []

    async with TaskGroup() as group:
        handle = group.start_soon(for_ever)
        await asyncio.sleep(1)
        group.cancel("enough")
        await asyncio.sleep(1000)
        reached.append("never")

    assert reached == []
    assert isinstance(handle.outcome, Cancelled)
    assert handle.outcome.reason == "enough"
    assert asyncio.current_task().cancelling() == 0


async def test_cancel_from_a_child_ends_the_block_too():
    async def ends(group):
        group.cancel("done")

    async with TaskGroup() as group:
        group.start_soon(ends, group)
        await asyncio.sleep(1000)


async def test_after_cancel_nothing_can_be_started():
    async with TaskGroup() as group:
        handle = group.start_soon(for_ever)
        group.cancel()
        with pytest.raises(RuntimeError, match="is shutting down"):
            group.start_soon(value, 1)

    assert handle.status == "cancelled"


async def test_a_child_cancelled_by_its_handle_is_no_failure_of_the_group():
    async with TaskGroup() as group:
        handle = group.start_soon(for_ever, name="ticker")
        await asyncio.sleep(1)
        assert handle.cancel("not needed")
        assert handle.status == "cancelling"

    assert handle.outcome.reason == "not needed"
    assert not handle.cancel()


async def test_awaiting_a_cancelled_child_is_no_cancellation_of_the_waiter():
    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            handle = group.start_soon(for_ever)
            handle.cancel("not needed")
            await handle

    (child_cancelled,) = caught.value.exceptions
    assert isinstance(child_cancelled, ChildCancelled)
    assert str(child_cancelled) == "for_ever was cancelled: not needed"


async def test_awaiting_a_failed_child_raises_its_own_exception():
    error = OSError("gone")

    async with TaskGroup(collect()) as group:
        handle = group.start_soon(failing, error)
        with pytest.raises(OSError, match="gone") as caught:
            await handle

    assert caught.value is error
    assert error.__context__ is None


async def test_inside_an_except_a_fresh_error_is_raised_from_it_and_neither_chain_is_rewritten():
    error, handled = OSError("gone"), KeyError("being handled")

    async with TaskGroup(collect()) as group:
        handle = group.start_soon(failing, error, 1)
        with pytest.raises(ChildFailed, match="failing failed: OSError: gone") as caught:
            try:
                raise handled
            except KeyError:
                await handle

    assert caught.value.__cause__ is error
    assert caught.value.__context__ is handled
    assert error.__context__ is None


async def test_a_cancelled_waiter_does_not_touch_the_child_nor_other_waiters():
    async def wait(handle):
        return await handle

    async with TaskGroup() as group:
        handle = group.start_soon(value, "there", 2)
        leaving = asyncio.create_task(wait(handle))
        staying = asyncio.create_task(wait(handle))
        await asyncio.sleep(1)
        leaving.cancel()

    assert await staying == "there"
    assert leaving.cancelled()


async def test_an_outside_cancellation_comes_out_with_what_had_finished():
    async def work():
        async with TaskGroup() as group:
            group.start_soon(value, "there")
            group.start_soon(for_ever)

    working = asyncio.create_task(work())
    await asyncio.sleep(1)
    working.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough") as caught:
        await working

    there, stopped = partial(caught.value)
    assert there.value == "there"
    assert isinstance(stopped, Cancelled)


async def test_an_outside_cancellation_that_meets_failures_comes_out_of_the_next_await():
    late, seen = OSError("late"), []

    async def work():
        try:
            async with TaskGroup() as group:
                group.start_soon(fails_when_cancelled, late)
        except* OSError as failures:
            seen.append((failures.exceptions, asyncio.current_task().cancelling()))
        await asyncio.sleep(0)
        seen.append("never")

    working = asyncio.create_task(work())
    await asyncio.sleep(1)
    working.cancel("enough")
    with pytest.raises(asyncio.CancelledError, match="enough"):
        await working

    assert seen == [((late,), 1)]
    assert working.cancelling() == 1


async def test_a_cancellation_that_was_delivered_before_the_block_is_not_delivered_again():
    async def work():
        try:
            await for_ever()
        except asyncio.CancelledError:
            with pytest.raises(ExceptionGroup):
                async with TaskGroup() as group:
                    group.start_soon(failing, OSError())
            await asyncio.sleep(1)
            return "cleaned up"

    working = asyncio.create_task(work())
    await asyncio.sleep(1)
    working.cancel()

    assert await working == "cleaned up"


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
async def test_a_stopping_exception_of_a_child_comes_out_bare_with_the_rest_attached_and_reported(fatal):
    late, reported = OSError("late"), []

    with report_to(lambda error, what: reported.append((error, what))), pytest.raises(fatal) as caught:
        async with TaskGroup() as group:
            group.start_soon(fails_when_cancelled, late)
            group.start_soon(failing, fatal(), 1)
            await asyncio.sleep(1000)

    ((group_of_rest, what),) = reported
    assert group_of_rest.exceptions == (late,)
    assert what == f"1 failed before {fatal.__name__} stopped a TaskGroup"
    assert late in [outcome.error for outcome in partial(caught.value)]


async def test_a_child_that_swallows_its_cancellation_has_its_value_and_is_told_of():
    async def swallows():
        try:
            await for_ever()
        except asyncio.CancelledError:
            return "went on"

    events = []
    with listen(events.append):
        async with TaskGroup() as group:
            handle = group.start_soon(swallows)
            await asyncio.sleep(1)
            group.cancel("enough")

    assert handle.status == "swallowed"
    assert handle.outcome.value == "went on"
    (told,) = [event for event in events if isinstance(event, CancellationSwallowed)]
    assert (told.name, told.reason) == (handle.name, "enough")
    assert "in test_a_child_that_swallows" in told.where or "in for_ever" in told.where


async def test_a_group_without_end_keeps_nothing_of_who_has_ended():
    async with TaskGroup(keep_outcomes=False) as group:
        handle = group.start_soon(value, 1)
        assert await handle == 1
        assert group.outcomes == []
        assert handle.index == -1


async def test_a_coroutine_object_is_refused_with_the_line_to_write():
    coroutine = value(1)

    async with TaskGroup() as group:
        with pytest.raises(UsageError, match=r"Write group\.start_soon\(value, \.\.\.\)"):
            group.start_soon(coroutine)

    with pytest.raises(RuntimeError, match="cannot reuse"):
        await coroutine


async def test_a_function_that_is_not_async_is_the_childs_failure_with_what_to_write():
    def plain(text):
        return text

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            group.start_soon(plain, "x")

    (mistake,) = caught.value.exceptions
    assert isinstance(mistake, UsageError)
    assert "group.start_soon(unlost.to_thread, plain, ...)" in str(mistake)


async def test_a_policy_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"TaskGroup\(policy=unlost\.collect\(\)\)"):
        TaskGroup(collect)


async def test_a_child_runs_in_the_context_it_is_given_and_never_changes_the_parents():
    variable = contextvars.ContextVar("variable", default="parent's")

    async def sets():
        variable.set("child's")

    given = contextvars.copy_context()
    async with TaskGroup() as group:
        group.start_soon(sets)
        group.start_soon(sets, context=given)

    assert variable.get() == "parent's"
    assert given[variable] == "child's"


class OneMoreThan:
    """A policy of a user's own: enough is enough."""

    def __init__(self, enough):
        self.enough = enough
        self.values = 0
        self.started = []

    def on_start(self, index):
        self.started.append(index)

    def on_outcome(self, outcome):
        self.values += isinstance(outcome, Value)
        return Stop("enough") if self.values > self.enough else Continue()

    def result(self, outcomes):
        return self.values


async def test_a_policy_of_ones_own_decides_when_to_stop_and_what_the_result_is():
    policy = OneMoreThan(1)

    async with TaskGroup(policy) as group:
        for after in (1, 2, 3, 4000):
            group.start_soon(value, after, after)

    assert group.result == 2
    assert policy.started == [0, 1, 2, 3]
    assert [type(outcome) for outcome in group.outcomes] == [Value, Value, Cancelled, Cancelled]


async def test_what_a_policy_does_not_raise_is_in_the_receipt():
    error = OSError("dropped by the policy")

    with receipt() as survived:
        async with TaskGroup(OneMoreThan(0)) as group:
            group.start_soon(failing, error)
            group.start_soon(value, 1, 1)

    assert group.result == 1
    assert survived.errors == (error,)


@pytest.mark.parametrize("part", ["on_start", "on_outcome", "result"])
async def test_a_policy_that_fails_stops_the_group_and_no_failure_is_lost(part):
    class Broken(OneMoreThan):
        pass

    def breaks(self, _given):
        raise ZeroDivisionError(part)

    setattr(Broken, part, breaks)
    error = OSError("a child's")

    with pytest.raises((ZeroDivisionError, ExceptionGroup)) as caught:
        async with TaskGroup(Broken(5)) as group:
            group.start_soon(failing, error)

    errors = [caught.value, *getattr(caught.value, "exceptions", ())]
    assert "ZeroDivisionError" in {type(found).__name__ for found in errors}
    if part != "on_start":  # where that fails, no child was started
        assert error in [outcome.error for outcome in partial(caught.value)]


async def test_a_forgiven_child_fails_without_touching_the_group():
    before = forgiven().get("metrics are best effort", 0)
    error = OSError("metrics down")

    async with TaskGroup() as group:
        metrics = group.start_soon(failing, error, 1)
        forgive(metrics, "metrics are best effort")
        group.start_soon(value, "there", 2)

    assert [type(outcome) for outcome in group.outcomes] == [Failure, Value]
    assert group.result == ["there"]
    assert forgiven()["metrics are best effort"] == before + 1


async def test_failures_that_were_collected_and_never_looked_at_are_counted():
    async def drops():
        async with TaskGroup(collect()) as group:
            group.start_soon(failing, OSError("nobody looked"))

    await drops()

    (line,) = take_unheard()
    assert "unlost.TaskGroup, whose outcomes nobody looked at: 1 error in 1 call (last: OSError: nobody looked)" in line


@pytest.mark.parametrize("look", ["outcomes", "result", "handle"])
async def test_failures_that_were_looked_at_are_not_counted(look):
    async def looks():
        async with TaskGroup(collect()) as group:
            handle = group.start_soon(failing, OSError("looked at"))
        if look == "handle":
            assert handle.outcome.error
        else:
            assert getattr(group, look)

    await looks()

    assert take_unheard() == []


async def test_wait_all_lets_everybody_end_and_raises_all():
    error, ended = OSError(), []

    async def slow():
        await asyncio.sleep(5)
        ended.append("slow")

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup(wait_all()) as group:
            group.start_soon(failing, error)
            group.create_task(slow())

    assert ended == ["slow"]
    assert caught.value.exceptions == (error,)


async def test_waiting_for_a_child_without_raising_hands_over_its_outcome():
    error = OSError()

    async with TaskGroup(collect()) as group:
        failed = await group.start_soon(failing, error, 1).wait()
        ended = group.start_soon(value, 2)
        assert (await ended.wait()).value == 2
        assert await ended.wait() is ended.outcome

    assert failed.error is error


@pytest.mark.stock
@pytest.mark.parametrize("call", ["cancel", "start_soon"])
async def test_a_call_from_another_thread_is_refused_with_what_to_write(call):
    async with TaskGroup() as group:
        arguments = (value, 1) if call == "start_soon" else ()
        with pytest.raises(UsageError, match=rf"Write loop\.call_soon_threadsafe\(group\.{call}"):
            await asyncio.to_thread(getattr(group, call), *arguments)


async def test_a_policy_that_returns_no_decision_is_a_mistake_that_comes_out():
    class Forgets(OneMoreThan):
        def on_outcome(self, outcome):
            return None

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup(Forgets(1)) as group:
            group.start_soon(value, 1)
            await asyncio.sleep(1000)

    (mistake,) = caught.value.exceptions
    assert str(mistake).startswith("Forgets.on_outcome() returned None.")


async def test_a_cancelled_child_whose_cleanup_fails_has_failed():
    error = OSError("cleanup")

    async def child():
        try:
            await for_ever()
        finally:
            await cleanup(failing, error)

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            handle = group.start_soon(child)
            await asyncio.sleep(1)
            handle.cancel("not needed")

    assert caught.value.exceptions == (error,)
    assert handle.outcome.error is error


async def test_what_was_tolerated_and_looked_at_is_not_counted():
    async with TaskGroup(tolerate(failures=1)) as group:
        group.start_soon(failing, OSError())

    assert group.outcomes.failures
    del group
    assert take_unheard() == []


async def test_a_policy_with_a_memory_judges_one_group():
    policy = quorum(1)
    async with TaskGroup(policy) as group:
        group.start_soon(value, 1)

    with pytest.raises((UsageError, ExceptionGroup), match=r"quorum\(\.\.\.\) has judged another group|unhandled"):
        async with TaskGroup(policy) as other:
            other.start_soon(value, 2)


class NoException(BaseException):
    """What a test runner raises, for example."""


async def test_a_child_that_raises_no_exception_takes_nothing_from_the_others():
    body, odd = KeyError("body"), NoException("odd")

    with pytest.raises(BaseExceptionGroup) as caught:
        async with TaskGroup(wait_all()) as group:
            group.start_soon(failing, odd)
            await asyncio.sleep(1)
            raise body

    assert caught.value.exceptions == (odd, body)


async def test_what_was_collected_is_reported_where_the_block_is_closed():
    error, reported = OSError("collected"), []

    async def generates():
        async with TaskGroup(collect()) as group:
            group.start_soon(failing, error)
            yield await group.start_soon(value, 1, 1)

    with report_to(lambda error, what: reported.append(error)):
        generator = generates()
        await anext(generator)
        await generator.aclose()

    assert reported[0].exceptions == (error,)


async def test_a_policy_that_starts_another_child_in_the_place_of_the_last_may():
    class Replaces(OneMoreThan):
        def on_outcome(self, outcome):
            if outcome.index == 0:
                group.start_soon(value, "second", 1)
            return Continue()

        def result(self, outcomes):
            return [outcome.value for outcome in outcomes]

    async with TaskGroup(Replaces(5)) as group:
        group.start_soon(value, "first")

    assert group.result == ["first", "second"]
