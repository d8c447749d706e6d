"""
Traps of running several things at once, a test for each: what this library makes of it, and, as ``test_python_...``,
what Python itself does, so that a change is noticed.
"""

import asyncio
import contextlib
import gc
import sys
import weakref
from contextvars import ContextVar

import pytest

from support.ledger import Ledger, State
from unlost._core._outcome import Cancelled, Failure, Value
from unlost._core._outcomes import partial
from unlost._core._report import report_to
from unlost._core._unheard import take_unheard
from unlost._core.groups._group import TaskGroup
from unlost._core.groups._policies import collect, wait_all
from unlost._core.together._gather import gather
from unlost._core.together._race import race
from unlost._core.together._settle import settle
from unlost.errors import ChildCancelled, ChildFailed, attached

HAS_UNCANCEL_THAT_CLEARS = sys.version_info >= (3, 13)
SUPPRESS_TAKES_GROUPS = sys.version_info >= (3, 12)
REFUSED_IS_CLOSED = sys.version_info >= (3, 13)

variable = ContextVar("variable", default="untouched")


async def fails(error, after=0):
    await asyncio.sleep(after)
    raise error


async def fails_without_waiting(error):
    raise error


async def fails_in_cleanup(error):
    try:
        await asyncio.sleep(1000)
    finally:
        raise error


async def is_cancelled_next():
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        return True
    return False


# Cancel counts


async def test_an_inner_group_does_not_swallow_the_outer_groups_cancellation():
    """cpython#116720: on 3.12.1 the body of the outer group runs on."""
    reached = []

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as outer:
            outer.start_soon(fails, ValueError("outer"), 1)
            try:
                async with TaskGroup() as inner:
                    inner.start_soon(fails_in_cleanup, KeyError("inner"))
                    await asyncio.sleep(1000)
            except* KeyError:
                pass
            await asyncio.sleep(1000)
            reached.append(True)

    assert [repr(error) for error in caught.value.exceptions] == ["ValueError('outer')"]
    assert reached == []
    assert asyncio.current_task().cancelling() == 0


async def test_an_inner_group_that_fails_by_itself_in_the_tick_of_the_outer_one_lets_its_cancellation_through():
    """cpython#116720, second form: both groups cancel the same task in one tick."""
    reached = []

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as outer:
            outer.start_soon(fails, ValueError("outer"), 1)
            try:
                async with TaskGroup() as inner:
                    inner.start_soon(fails, KeyError("inner"), 1)
                    await asyncio.sleep(1000)
            except* KeyError:
                pass
            await asyncio.sleep(1000)
            reached.append(True)

    assert [repr(error) for error in caught.value.exceptions] == ["ValueError('outer')"]
    assert reached == []
    assert asyncio.current_task().cancelling() == 0


@pytest.mark.parametrize("group_first", [True, False])
async def test_an_outside_cancellation_beside_the_groups_own_comes_out(group_first):
    """cpython#155433."""
    groups = []

    async def owner():
        async with TaskGroup() as group:
            groups.append(group)
            group.start_soon(asyncio.sleep, 1000)
            await asyncio.sleep(1000)

    owning = asyncio.create_task(owner())
    await asyncio.sleep(1)
    asks = [lambda: groups[0].cancel("own"), lambda: owning.cancel("outside")]
    for ask in asks if group_first else reversed(asks):
        ask()

    with pytest.raises(asyncio.CancelledError):
        await owning
    assert owning.cancelling() == 1


async def test_an_outside_cancellation_while_a_cancelled_group_waits_for_its_children_comes_out():
    """cpython#155433."""

    async def slow_to_stop():
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(8)

    async def owner():
        async with TaskGroup() as group:
            group.start_soon(slow_to_stop)
            await asyncio.sleep(1)
            group.cancel("own")
            await asyncio.sleep(1000)

    owning = asyncio.create_task(owner())
    await asyncio.sleep(5)
    owning.cancel("outside")

    with pytest.raises(asyncio.CancelledError, match="outside"):
        await owning
    assert owning.cancelling() == 1


async def test_a_cancellation_that_waits_when_the_block_is_entered_comes_out_after_a_childs_error():
    """The count has it already when the block begins, and nobody was told of it."""
    task = asyncio.current_task()
    task.cancel("outside")

    with pytest.raises(ExceptionGroup):
        async with TaskGroup() as group:
            group.start_soon(fails_without_waiting, ValueError())

    assert task.cancelling() == 1
    assert await is_cancelled_next()
    task.uncancel()


async def test_a_body_that_replaces_the_cancellation_leaves_the_count_right():
    """cpython#95289."""
    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            group.start_soon(fails, ValueError(), 1)
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                raise OSError from None

    assert {type(error) for error in caught.value.exceptions} == {ValueError, OSError}
    assert asyncio.current_task().cancelling() == 0
    assert not await is_cancelled_next()


async def test_childrens_errors_come_out_although_the_parent_is_being_cancelled():
    """cpython#95704."""
    seen = []

    async def owner():
        try:
            async with TaskGroup() as group:
                group.start_soon(fails_in_cleanup, ValueError())
                await asyncio.sleep(1000)
        except* ValueError:
            seen.append(asyncio.current_task().cancelling())
        seen.append(await is_cancelled_next())

    owning = asyncio.create_task(owner())
    await asyncio.sleep(1)
    owning.cancel("outside")
    await owning

    assert seen == [1, True]


async def test_python_uncancel_leaves_a_pending_cancellation_before_313():
    task = asyncio.current_task()
    task.cancel()
    task.uncancel()

    assert await is_cancelled_next() is not HAS_UNCANCEL_THAT_CLEARS


async def test_a_group_that_stopped_itself_leaves_nothing_pending():
    """On 3.11 and 3.12, uncancel() alone would leave the group's own cancellation to the next await."""
    with pytest.raises(ExceptionGroup):
        async with TaskGroup() as group:
            group.start_soon(fails_without_waiting, ValueError())
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                raise

    assert asyncio.current_task().cancelling() == 0
    assert not await is_cancelled_next()


async def test_a_body_that_ends_as_its_group_is_cancelled_leaves_nothing_pending():
    async with TaskGroup() as group:
        group.cancel("enough")

    assert asyncio.current_task().cancelling() == 0
    assert not await is_cancelled_next()


# SystemExit, KeyboardInterrupt, GeneratorExit


@pytest.mark.parametrize("fatal", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("make_policy", [lambda: None, wait_all, collect])
@pytest.mark.parametrize("start", ["start_soon", "create_task"])
def test_a_stopping_exception_of_a_child_keeps_the_siblings_errors(virtual_loop, fatal, make_policy, start):
    """cpython#102572: asyncio's group drops them."""
    ledger = Ledger()
    caught = []

    async def raises(label, error):
        await asyncio.sleep(1)
        raise ledger.raising(label, error)

    async def owner():
        try:
            async with TaskGroup(make_policy()) as group:
                for label, error in [("sibling", ValueError()), ("fatal", fatal())]:
                    if start == "start_soon":
                        group.start_soon(raises, label, error)
                    else:
                        group.create_task(raises(label, error))
        except BaseException as error:
            caught.append(error)

    with ledger.listening():
        run_again_if_stopped(virtual_loop, owner())
    ledger.give(*caught)

    ledger.check({"fatal": State.DELIVERED, "sibling": State.ATTACHED})
    assert State.REPORTED in ledger.states("sibling")


def run_again_if_stopped(virtual_loop, coroutine):
    """Run to the end; what stops the loop on the way stops it once more at most."""
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        loop = runner.get_loop()
        task = loop.create_task(coroutine)
        while not task.done():
            try:
                loop.run_until_complete(task)
            except (SystemExit, KeyboardInterrupt):
                continue
        return task.result()


async def test_a_stopping_exception_of_a_child_reaches_the_groups_owner_before_the_loop_stops():
    """cpython#102572: out of a plain task, it leaves asyncio.run() first."""
    with pytest.raises(SystemExit):
        async with TaskGroup() as group:
            group.start_soon(fails, SystemExit(3), 1)

    assert asyncio.current_task().cancelling() == 0


def test_python_a_stopping_exception_of_a_child_leaves_the_loop_before_the_groups_owner_is_told(virtual_loop):
    loop = virtual_loop()
    told = []

    async def owner():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails(ValueError(), 1))
                group.create_task(fails(SystemExit(3), 1))
        except BaseException as error:
            told.append(error)

    task = loop.create_task(owner())
    with pytest.raises(SystemExit):
        loop.run_until_complete(task)
    was_told = bool(told)
    loop.run_until_complete(task)
    loop.close()

    assert not was_told
    assert [type(error) for error in told] == [SystemExit]  # and the ValueError is nowhere
    assert attached(told[0]) == ()


@pytest.mark.parametrize("fatal", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("call", [gather, settle, race])
async def test_a_stopping_exception_comes_out_of_every_call_bare_with_the_rest_attached_and_reported(fatal, call):
    """cpython#93122, #108549: asyncio's gather is inconsistent about it."""
    reported = []

    with report_to(lambda error, what: reported.append(error)), pytest.raises(fatal) as caught:
        await call(lambda: fails_in_cleanup(ValueError("sibling")), lambda: fails(fatal(), 2))

    assert [outcome.error.args for outcome in partial(caught.value)] == [("sibling",)]
    assert [str(error) for group in reported for error in group.exceptions] == ["sibling"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("call", [gather, settle, race])
async def test_a_second_stopping_exception_is_attached_to_the_first_and_reported(call):
    reported = []

    with report_to(lambda error, what: reported.append(error)), pytest.raises(SystemExit, match="first") as caught:
        await call(lambda: fails(SystemExit("first"), 1), lambda: fails_in_cleanup(SystemExit("second")))

    assert [str(outcome.error) for outcome in partial(caught.value)] == ["second"]
    assert [str(error) for group in reported for error in group.exceptions] == ["second"]


async def test_a_second_stopping_exception_of_a_group_is_attached_to_the_first_and_reported():
    reported = []

    with report_to(lambda error, what: reported.append(error)), pytest.raises(SystemExit, match="first") as caught:
        async with TaskGroup() as group:
            group.start_soon(fails, SystemExit("first"), 1)
            group.start_soon(fails_in_cleanup, SystemExit("second"))

    assert [str(error) for error in attached(caught.value)] == ["second"]
    assert [str(error) for group in reported for error in group.exceptions] == ["second"]


def test_python_a_stopping_exception_passes_through_return_exceptions(virtual_loop):
    loop = virtual_loop()

    async def caller():
        return await asyncio.gather(fails(SystemExit(3)), asyncio.sleep(0), return_exceptions=True)

    with pytest.raises(SystemExit):
        loop.run_until_complete(loop.create_task(caller()))
    loop.close()


async def test_a_closed_generator_with_a_group_in_it_closes_without_an_error():
    """cpython#135736: GeneratorExit in the body becomes a group, which comes out of aclose()."""

    async def items():
        async with TaskGroup() as group:
            group.start_soon(asyncio.sleep, 1000)
            yield 1

    source = items()
    await anext(source)
    await source.aclose()

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_failed_in_the_group_of_a_closed_generator_is_reported():
    """cpython#135736: nobody is told what aclose() swallows, ``GeneratorExit`` and what is attached to it."""
    reported = []

    async def items():
        async with TaskGroup() as group:
            group.start_soon(fails_in_cleanup, ValueError("behind"))
            await asyncio.sleep(0)
            yield 1

    source = items()
    await anext(source)
    with report_to(lambda error, what: reported.append(error)):
        await source.aclose()

    assert [str(error) for group in reported for error in group.exceptions] == ["behind"]


async def test_python_a_yield_inside_a_group_lets_it_cancel_the_consumer():
    """PEP 789: the group belongs to the task, not to the generator, so that the wrong code is cancelled."""

    async def items():
        async with asyncio.TaskGroup() as group:
            group.create_task(fails(ValueError(), 1))
            yield 1

    source = items()
    await anext(source)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(1000)
    with pytest.raises(BaseExceptionGroup) as caught:
        await source.aclose()
    assert [type(error) for error in caught.value.exceptions] == [ValueError, GeneratorExit]  # cpython#135736


async def test_a_yield_inside_our_group_does_it_too_and_says_which_child_failed():
    """PEP 789: a group cannot know that its block is suspended; the error and the reason are told all the same."""
    reported = []

    async def items():
        async with TaskGroup() as group:
            group.start_soon(fails, ValueError("child"), 1)
            yield 1

    source = items()
    await anext(source)

    with pytest.raises(asyncio.CancelledError, match="a sibling failed: ValueError: child"):
        await asyncio.sleep(1000)
    with report_to(lambda error, what: reported.append(error)):
        await source.aclose()
    assert [str(error) for group in reported for error in group.exceptions] == ["child"]
    assert asyncio.current_task().cancelling() == 0


# gather


async def test_every_error_of_gather_comes_out_and_no_sibling_runs_on():
    """cpython#75633."""
    ended = []

    async def sibling():
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(True)

    with pytest.raises(ExceptionGroup) as caught:
        await gather(fails(ValueError("first"), 1), fails(ValueError("second"), 1), sibling())

    assert [str(error) for error in caught.value.exceptions] == ["first", "second"]
    assert ended == [True]


async def test_python_gather_drops_the_second_error_and_the_sibling_runs_on():
    """cpython#75633."""
    ledger = Ledger()
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))
    sibling = asyncio.create_task(asyncio.sleep(5))

    async def child(label):
        await asyncio.sleep(1)
        raise ledger.raising(label, ValueError(label))

    with pytest.raises(ValueError, match="first") as caught:
        await asyncio.gather(child("first"), child("second"), sibling)
    ledger.give(caught.value)
    gc.collect()

    assert ledger.outcome() == {"first": State.DELIVERED, "second": State.LOST}
    assert told == []
    assert not sibling.done()
    await sibling


async def test_outcomes_tell_a_cancellation_a_group_and_a_returned_exception_apart():
    task = asyncio.create_task(asyncio.sleep(1000))
    asyncio.get_running_loop().call_later(1, task.cancel)

    async def returns_an_error():
        return ValueError()

    outcomes = await settle(task, fails(BaseExceptionGroup("x", [KeyboardInterrupt()])), returns_an_error())

    assert [type(outcome) for outcome in outcomes] == [Cancelled, Failure, Value]


async def test_python_return_exceptions_lets_what_is_no_exception_pass_the_usual_filter():
    task = asyncio.create_task(asyncio.sleep(1000))
    asyncio.get_running_loop().call_later(1, task.cancel)
    group = fails(BaseExceptionGroup("x", [KeyboardInterrupt()]))

    results = await asyncio.gather(task, group, return_exceptions=True)

    assert len([result for result in results if not isinstance(result, Exception)]) == 2


# Eager tasks: on the loops that have them a child runs while it is started


@pytest.mark.parametrize("start", ["start_soon", "create_task"])
async def test_the_error_of_a_child_that_fails_at_once_comes_out_of_the_block_and_nothing_else_does(start):
    """cpython#128588: on 3.12.1 a CancelledError comes out of a later await."""
    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            if start == "start_soon":
                group.start_soon(fails_without_waiting, ValueError("at once"))
            else:
                group.create_task(fails_without_waiting(ValueError("at once")))

    assert [str(error) for error in caught.value.exceptions] == ["at once"]
    assert not await is_cancelled_next()


async def test_a_child_that_starts_a_failing_sibling_before_it_suspends_is_cancelled():
    """cpython#128550: where children are started eagerly, asyncio's group waits for ever."""

    async def starts_another():
        group.start_soon(fails_without_waiting, ValueError("sibling"))
        await asyncio.get_running_loop().create_future()

    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            handle = group.start_soon(starts_another)

    assert [str(error) for error in caught.value.exceptions] == ["sibling"]
    assert handle.status == "cancelled"


async def test_a_child_that_cancels_its_group_before_it_suspends_is_cancelled():
    """cpython#155418: where children are started eagerly, the group waits for ever."""

    async def cancels():
        group.cancel("enough")
        await asyncio.get_running_loop().create_future()

    async with TaskGroup() as group:
        handle = group.start_soon(cancels)

    assert handle.status == "cancelled"
    assert handle.outcome.reason in ("the group is shutting down", "enough")  # started eagerly, and not


# What never ran


async def test_a_child_that_was_cancelled_before_its_first_step_has_an_outcome():
    """cpython#116048: its ``finally`` does not run; its owner is told all the same."""
    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            handle = group.start_soon(asyncio.sleep, 1000)
            raise OSError

    assert isinstance(handle.outcome, Cancelled)
    assert len(partial(caught.value)) == 1


@pytest.mark.asyncio(loop_factories=["asyncio"])  # an eager task has had its first step when it can be cancelled
async def test_python_a_task_that_is_cancelled_before_its_first_step_runs_no_finally():
    """cpython#116048."""
    ran = []

    async def job():
        try:
            await asyncio.sleep(1)
        finally:
            ran.append(True)

    task = asyncio.create_task(job())
    task.cancel()
    await asyncio.wait([task])

    assert ran == []


async def test_a_refused_create_task_treats_the_coroutine_as_the_running_python_does():
    async with TaskGroup() as group:
        pass
    coroutine = asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="is finished"):
        group.create_task(coroutine)

    assert (coroutine.cr_frame is None) is REFUSED_IS_CLOSED
    coroutine.close()


async def test_a_refused_start_soon_leaves_nothing_unawaited():
    called = []
    async with TaskGroup() as group:
        pass
    with pytest.raises(RuntimeError, match="is finished"):
        group.start_soon(called.append, 1)

    assert called == []


# Swallowing


async def test_a_child_that_swallows_its_cancellation_says_so():
    async def swallows():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            return "went on"

    async with TaskGroup() as group:
        handle = group.start_soon(swallows)
        await asyncio.sleep(1)
        group.cancel("enough")

    assert (handle.status, handle.outcome.value) == ("swallowed", "went on")


async def test_a_cleanup_error_under_cancellation_is_the_groups():
    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup() as group:
            group.start_soon(fails_in_cleanup, ValueError("cleanup"))
            await asyncio.sleep(1)
            group.cancel("enough")

    assert [str(error) for error in caught.value.exceptions] == ["cleanup"]
    assert isinstance(caught.value.exceptions[0].__context__, asyncio.CancelledError)


async def test_a_blanket_handler_around_a_group_leaves_the_outcomes_to_look_at():
    kept = []

    try:
        async with TaskGroup() as group:
            group.start_soon(fails, ValueError("first"), 1)
            group.start_soon(fails_in_cleanup, KeyError("second"))
    except ExceptionGroup as errors:
        kept.append(errors)

    assert [type(outcome.error) for outcome in group.outcomes] == [ValueError, KeyError]


async def test_what_except_star_binds_has_the_outcomes():
    """It is a new group, which Python makes with ``derive``."""
    bound = []

    try:
        async with TaskGroup(wait_all()) as group:
            group.start_soon(fails, ValueError(), 1)
            group.start_soon(fails, KeyError(), 2)
            group.start_soon(asyncio.sleep, 1, "value")
    except* ValueError as errors:
        bound.append(errors)
    except* KeyError as errors:
        bound.append(errors)

    assert [[type(outcome) for outcome in partial(part)] for part in bound] == [[Failure, Failure, Value]] * 2


async def test_python_except_star_binds_a_new_group_without_the_attributes_of_the_old_one():
    bound = []

    try:
        raise with_attribute(ExceptionGroup("x", [ValueError()]))
    except* ValueError as errors:
        bound.append(errors)

    assert not hasattr(bound[0], "attribute")


def with_attribute(group):
    group.attribute = True
    return group


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
async def test_an_error_that_came_out_is_not_counted_as_one_that_nobody_looked_at(kind):
    take_unheard()

    with pytest.raises((ExceptionGroup, SystemExit)):
        async with TaskGroup() as group:
            group.start_soon(fails, kind(), 1)
    del group
    gc.collect()

    assert take_unheard() == []


async def test_looking_at_a_childs_exception_does_not_silence_it():
    """asyncio takes any call of ``exception()`` for somebody who cares."""
    with pytest.raises(ExceptionGroup) as caught:
        async with TaskGroup(wait_all()) as group:
            task = group.create_task(fails(ValueError("looked at"), 1))
            await asyncio.sleep(2)
            assert str(task.exception()) == "looked at"

    assert [str(error) for error in caught.value.exceptions] == ["looked at"]


async def test_python_a_call_of_exception_silences_never_retrieved():
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["message"]))
    for is_looked_at in (True, False):
        task = asyncio.create_task(fails(ValueError()))
        await asyncio.wait([task])
        if is_looked_at:
            task.exception()
        del task
        gc.collect()

    assert told == ["Task exception was never retrieved"]


def test_python_suppress_swallows_whole_groups_from_312_on():
    comes_out = contextlib.nullcontext() if SUPPRESS_TAKES_GROUPS else pytest.raises(ExceptionGroup)

    with comes_out, contextlib.suppress(ValueError):
        raise ExceptionGroup("two", [ValueError(1), ValueError(2)])


# Awaiting a failed child


async def test_awaiting_a_failed_child_inside_an_except_rewrites_neither_chain():
    """anyio#1098."""
    async with TaskGroup(collect()) as group:
        handle = group.start_soon(fails, ValueError("child"))
    original = handle.outcome.error
    caught = []

    for _ in range(2):
        try:
            raise KeyError("being handled")
        except KeyError as handled:
            try:
                await handle
            except ChildFailed as raised:
                caught.append((raised.__cause__ is original, raised.__context__ is handled, raised))

    assert [facts[:2] for facts in caught] == [(True, True), (True, True)]
    assert caught[0][2] is not caught[1][2]
    assert original.__context__ is None


async def test_python_awaiting_a_failed_task_inside_an_except_rewrites_its_context():
    """anyio#1098."""
    task = asyncio.create_task(fails(ValueError("child")))
    await asyncio.wait([task])

    contexts = []
    try:
        raise KeyError("being handled")
    except KeyError as handled:
        with pytest.raises(ValueError, match="child") as caught:
            await task
        contexts += [handled, caught.value.__context__]

    assert contexts[0] is contexts[1]


async def test_awaiting_a_cancelled_child_does_not_cancel_the_caller():
    async with TaskGroup() as group:
        handle = group.start_soon(asyncio.sleep, 1000)
        await asyncio.sleep(1)
        handle.cancel("unwanted")
        with pytest.raises(ChildCancelled, match="unwanted"):
            await handle

    assert asyncio.current_task().cancelling() == 0


# Context variables


@pytest.mark.parametrize("start", ["start_soon", "create_task"])
async def test_a_childs_context_variables_reach_neither_parent_nor_sibling(start):
    async def change(to):
        before = variable.get()
        variable.set(to)
        await asyncio.sleep(1)
        return before, variable.get()

    token = variable.set("the parent's")
    async with TaskGroup(wait_all()) as group:
        for to in ("one", "two"):
            if start == "start_soon":
                group.start_soon(change, to)
            else:
                group.create_task(change(to))

    assert group.result == [("the parent's", "one"), ("the parent's", "two")]
    assert variable.get() == "the parent's"
    variable.reset(token)


# Strong references


@pytest.mark.parametrize("start", ["start_soon", "create_task"])
async def test_a_child_that_only_its_group_refers_to_does_not_vanish(start):
    """cpython#91887: the loop's own reference is weak."""

    async def waits():
        await asyncio.get_running_loop().create_future()

    async with TaskGroup() as group:
        if start == "start_soon":
            child = weakref.ref(start_and_forget(group, waits))
        else:
            child = weakref.ref(group.create_task(waits()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()

        assert child() is not None
        assert not child().done()
        group.cancel("seen")


def start_and_forget(group, waits):
    before = asyncio.all_tasks()
    group.start_soon(waits)
    (task,) = asyncio.all_tasks() - before
    return task


# Reference cycles


class Local:
    """Lives in a frame, and tells when the frame is gone."""

    alive: weakref.WeakSet


@pytest.fixture
def without_collector():
    Local.alive = weakref.WeakSet()
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def local():
    made = Local()
    Local.alive.add(made)
    return made


async def fails_with_a_local(after=0):
    kept = local()
    await asyncio.sleep(after)
    raise ValueError(kept)


class lets_go_of:  # noqa: N801  # reads like pytest.raises, which would hold the error
    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        return None

    def __exit__(self, kind, error, traceback):
        assert kind is not None
        return issubclass(kind, self.kind)


async def all_is_freed():
    for _ in range(5):
        await asyncio.sleep(0)
    return not Local.alive


def start_child(group, start, *args):
    if start == "start_soon":
        group.start_soon(fails_with_a_local, *args)
    else:
        group.create_task(fails_with_a_local(*args))


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("make_policy", [lambda: None, wait_all])
@pytest.mark.parametrize("start", ["start_soon", "create_task"])
async def test_a_failed_group_is_freed_without_the_collector(start, make_policy):
    """cpython#98543."""

    async def owner():
        kept = local()
        async with TaskGroup(make_policy()) as group:
            start_child(group, start, 1)
            start_child(group, start, 1)
        del kept

    with lets_go_of(ExceptionGroup):
        await owner()

    assert await all_is_freed()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("start", ["start_soon", "create_task"])
async def test_a_group_whose_body_failed_is_freed_without_the_collector(start):
    """cpython#124958."""

    async def owner():
        async with TaskGroup() as group:
            kept = local()
            start_child(group, start, 1000)
            await asyncio.sleep(1)
            raise OSError(kept)

    with lets_go_of(ExceptionGroup):
        await owner()

    assert await all_is_freed()


@pytest.mark.usefixtures("without_collector")
async def test_a_group_that_was_cancelled_from_outside_is_freed_without_the_collector():
    """cpython#124958: the cancellation that is passed on refers to the frames that it passed."""

    async def owner():
        kept = local()
        async with TaskGroup() as group:
            group.start_soon(fails_with_a_local, 1000)
            await asyncio.sleep(1000)
        del kept

    owning = asyncio.create_task(owner())
    await asyncio.sleep(1)
    owning.cancel()
    with lets_go_of(asyncio.CancelledError):
        await owning
    del owning

    assert await all_is_freed()


@pytest.mark.usefixtures("without_collector")
async def test_a_group_that_a_child_stopped_for_good_is_freed_without_the_collector():
    """cpython#124958: the same with the error that stops everything."""

    async def exits():
        kept = local()
        await asyncio.sleep(1)
        raise SystemExit(kept)

    async def owner():
        async with TaskGroup() as group:
            group.start_soon(exits)
            group.start_soon(fails_with_a_local, 1000)

    with lets_go_of(SystemExit):
        await owner()

    assert await all_is_freed()


@pytest.mark.usefixtures("without_collector")
async def test_an_error_that_leaves_the_frame_that_started_a_child_is_freed_without_the_collector():
    """cpython#128552: the frame of ``create_task`` keeps the task, and that its error."""

    async def owner():
        with lets_go_of(ExceptionGroup):
            async with TaskGroup() as group:
                task = group.create_task(fails_with_a_local(1))
                del task
                await asyncio.sleep(1000)

    await owner()

    assert await all_is_freed()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("call", [gather, settle, race])
async def test_a_call_that_failed_is_freed_without_the_collector(call):
    with lets_go_of(ExceptionGroup):
        (await call(lambda: fails_with_a_local(1), fails_with_a_local(1))).values()

    assert await all_is_freed()
