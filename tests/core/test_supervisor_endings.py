"""What comes out of a supervisor's block: whatever was raised is in it, in the receipt, or reported."""

import asyncio
import copy
import math
import pickle

import pytest

from unlost._core._backoff import constant
from unlost._core._events import listen
from unlost._core._receipt import receipt
from unlost._core._report import report_to
from unlost._core._unheard import take_unheard
from unlost._core.supervision._supervisor import Supervisor
from unlost.errors import (
    ChildCancelled,
    ChildFailed,
    ChildStillRunning,
    SupervisorGaveUp,
    UnlostError,
    UsageError,
    attached,
    attempts,
)


def supervisor(*args, **options):
    return Supervisor(*args, **{"backoff": constant(0), **options})


def now():
    return asyncio.get_running_loop().time()


async def crash(after=1, error=None):
    await asyncio.sleep(after)
    raise ValueError("crash") if error is None else error


async def fails_to_stop(error=None):
    try:
        await asyncio.sleep(math.inf)
    finally:
        await asyncio.sleep(1)
        raise OSError("cleanup") if error is None else error


@pytest.fixture
def reported():
    errors = []
    with report_to(lambda error, what: errors.append(error)):
        yield errors


def texts(errors):
    return [str(error) for error in errors]


async def test_giving_up_carries_every_crash_that_led_to_it():
    number = iter(range(100))

    async def child():
        raise ValueError(next(number))

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=2, period=5, name="main") as running:
            running.start_child(child)

    assert texts(caught.value.crashes) == ["0", "1", "2"]
    assert caught.value.name == "main"
    assert caught.value.message == (
        "supervisor 'main' gave up: 3 crashes within 0 s, where 2 within 5 s may be followed by a restart; "
        "the last was child 'child': ValueError: 2"
    )
    assert caught.value.crashes[0].__notes__ == ["child 'child' of supervisor 'main'"]


async def test_earlier_crashes_that_a_restart_got_over_are_attempts():
    ends = iter([1, 10, 1, 1])

    async def child():
        after = next(ends)
        await asyncio.sleep(after)
        raise ValueError(now())

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=2, period=5) as running:
            running.start_child(child)

    assert texts(attempts(caught.value)) == ["1.0"]
    assert texts(caught.value.crashes) == ["11.0", "12.0", "13.0"]


async def test_a_supervisor_of_supervisors_gives_up_with_the_whole_tree():
    async def below():
        async with supervisor(intensity=1, name="below") as inner:
            inner.start_child(crash)

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=1, name="above") as outer:
            outer.start_child(below, grace=math.inf)

    assert [texts(inner.crashes) for inner in caught.value.crashes] == [["crash", "crash"]] * 2
    assert [inner.name for inner in caught.value.crashes] == ["below"] * 2


async def test_giving_up_cancels_the_body_and_stops_the_others(reported):
    stopped = []

    async def other():
        try:
            await asyncio.sleep(math.inf)
        finally:
            stopped.append(now())

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=0) as running:
            running.start_child(other)
            running.start_child(crash)
            await asyncio.sleep(math.inf)

    assert stopped == [1]
    assert caught.value.__suppress_context__
    assert asyncio.current_task().cancelling() == 0
    assert attached(caught.value) == ()
    assert reported == []


async def test_what_the_body_raised_when_it_was_cancelled_travels_with_the_giving_up():
    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=0) as running:
            running.start_child(crash)
            try:
                await asyncio.sleep(math.inf)
            finally:
                raise KeyError("body")

    assert texts(attached(caught.value)) == ["'body'"]
    assert not caught.value.__suppress_context__


async def test_a_body_that_swallows_the_cancellation_does_not_hide_that_the_supervisor_gave_up():
    with pytest.raises(SupervisorGaveUp):
        async with supervisor(intensity=0) as running:
            running.start_child(crash)
            with pytest.raises(asyncio.CancelledError):
                await asyncio.sleep(math.inf)

    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(1)


async def test_what_was_raised_while_others_were_stopped_travels_with_the_giving_up(reported):
    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=0) as running:
            running.start_child(fails_to_stop)
            running.start_child(crash)

    assert texts(attached(caught.value)) == ["cleanup"]
    assert reported == []


async def test_the_crash_of_a_child_that_still_waits_travels_with_the_giving_up():
    with pytest.raises(SupervisorGaveUp) as caught:
        async with Supervisor(intensity=1, period=2, backoff=constant(10)) as running:
            running.start_child(crash, 1, KeyError("early"))
            running.start_child(crash, 4, ValueError("a"))
            running.start_child(crash, 5, ValueError("b"))

    assert texts(caught.value.crashes) == ["a", "b"]
    assert texts(attached(caught.value)) == ["'early'"]


async def test_what_was_raised_while_all_were_stopped_is_reported_where_nothing_comes_out(reported):
    async with supervisor() as running:
        running.start_child(fails_to_stop)
        await asyncio.sleep(1)
        running.stop()

    assert texts(reported) == ["cleanup"]
    assert texts(running.crashes) == ["cleanup"]


async def test_the_crash_after_which_a_restart_did_not_come_about_is_reported_where_nothing_comes_out(reported):
    async with supervisor(backoff=constant(10)) as running:
        running.start_child(crash)
        await asyncio.sleep(5)
        running.stop()

    assert texts(reported) == ["crash"]
    assert now() == 5


async def test_the_failure_of_a_temporary_child_is_reported_when_it_happens(reported):
    async with supervisor() as running:
        running.start_child(crash, restart="temporary")
        await asyncio.sleep(2)
        assert texts(reported) == ["crash"]

    assert texts(running.crashes) == ["crash"]


async def test_what_restarts_got_over_is_in_the_receipt():
    runs = iter([1, 1])
    with receipt() as survived:
        async with supervisor(name="main") as running:
            running.start_child(lambda: crash(next(runs, math.inf)), name="a")
            await asyncio.sleep(5)
            running.stop()

    assert [entry.name for entry in survived.entries] == ["unlost.Supervisor(main)"]
    assert texts(survived.errors) == ["crash", "crash"]


async def test_of_many_crashes_the_last_are_kept_and_the_others_counted():
    take_unheard()
    runs = iter(range(150))

    async def child():
        if (number := next(runs, None)) is None:
            await asyncio.sleep(math.inf)
        raise ValueError(number)

    async with supervisor(intensity=1000, name="main") as running:
        running.start_child(child)
        await asyncio.sleep(1)
        running.stop()

    assert texts(running.crashes) == [str(number) for number in range(50, 150)]
    assert running.crash_count == 150
    assert take_unheard() == [
        "survived without a listener: unlost.Supervisor(main): 150 errors in 51 calls (last: ValueError: 149)"
    ]


async def test_what_a_listener_was_told_is_not_counted():
    take_unheard()
    runs = iter(range(150))

    async def child():
        if next(runs, None) is None:
            await asyncio.sleep(math.inf)
        raise ValueError

    with listen(lambda event: None):
        async with supervisor(intensity=1000) as running:
            running.start_child(child)
            await asyncio.sleep(1)
            running.stop()

    assert take_unheard() == []


async def test_an_error_of_the_body_stops_the_children_and_comes_out_with_what_they_raised(reported):
    with pytest.raises(KeyError) as caught:
        async with supervisor() as running:
            running.start_child(fails_to_stop)
            await asyncio.sleep(1)
            raise KeyError("body")

    assert texts(attached(caught.value)) == ["cleanup"]
    assert reported == []


async def cancelled_after(seconds, coroutine):
    """Run it in a task, cancel that; return what came out, and the task."""
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(seconds)
    task.cancel("enough")
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return caught.value, task


@pytest.mark.parametrize("where", ["in the body", "while it is left"])
async def test_the_callers_cancellation_stops_the_children_in_order_and_comes_out(where, reported):
    stopped = []

    async def child(name):
        try:
            await asyncio.sleep(math.inf)
        finally:
            stopped.append((name, now()))
            await asyncio.sleep(1)

    async def caller():
        async with supervisor() as running:
            running.start_child(child, "a")
            running.start_child(fails_to_stop)
            running.start_child(child, "c")
            if where == "in the body":
                await asyncio.sleep(math.inf)

    cancelled, task = await cancelled_after(1, caller())

    assert stopped == [("c", 1), ("a", 3)]
    assert cancelled.args == ("enough",)
    assert texts(attached(cancelled)) == ["cleanup"]
    assert task.cancelling() == 1
    assert reported == []


async def test_a_second_cancellation_of_the_caller_reaches_the_child_that_is_being_stopped():
    ended = []

    async def child():
        try:
            await asyncio.sleep(math.inf)
        finally:
            try:
                await asyncio.sleep(math.inf)
            finally:
                ended.append(now())

    async def caller():
        async with supervisor() as running:
            running.start_child(child, grace=math.inf)

    task = asyncio.create_task(caller())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.sleep(1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [2]
    assert task.cancelling() == 2


async def test_a_cancellation_of_the_caller_while_others_are_stopped_for_a_restart_ends_in_one_stop():
    async def slow():
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(5)

    async def caller():
        async with supervisor("one_for_all") as running:
            running.start_child(crash, 1)
            running.start_child(slow, grace=10)

    cancelled, _ = await cancelled_after(2, caller())

    assert now() == 6
    assert texts(attached(cancelled)) == ["crash"]


async def test_the_callers_cancellation_wins_over_giving_up_which_travels_with_it():
    async def caller():
        async with supervisor(intensity=0) as running:
            running.start_child(fails_to_stop)
            running.start_child(crash, 1)
            await asyncio.sleep(math.inf)

    cancelled, task = await cancelled_after(1.5, caller())

    gave_up, cleanup = attached(cancelled)
    assert isinstance(gave_up, SupervisorGaveUp)
    assert str(cleanup) == "cleanup"
    assert task.cancelling() == 1


@pytest.mark.parametrize("turns", range(12))
async def test_a_cancellation_about_the_moment_of_giving_up_is_not_swallowed(turns):
    cancelled = []

    def cancel_after(turns):
        if turns:
            asyncio.get_running_loop().call_soon(cancel_after, turns - 1)
        else:
            cancelled.append(task.cancel("from outside"))

    async def gives_up():
        cancel_after(turns)
        raise ValueError("crash")

    async def caller():
        async with supervisor(intensity=0) as running:
            running.start_child(gives_up)
            await asyncio.sleep(math.inf)

    task = asyncio.create_task(caller())
    await asyncio.wait([task])
    await asyncio.sleep(1)

    assert task.cancelled() is cancelled[0]
    assert task.cancelling() == cancelled[0]
    if not cancelled[0]:
        assert isinstance(task.exception(), SupervisorGaveUp)


async def test_who_was_left_behind_travels_with_what_comes_out(reported):
    async def stubborn():
        try:
            await asyncio.sleep(math.inf)
        finally:
            await asyncio.sleep(60)

    with pytest.raises(KeyError) as caught:
        async with supervisor() as running:
            running.start_child(stubborn, grace=1)
            await asyncio.sleep(1)
            raise KeyError("body")

    assert attached(caught.value) == tuple(reported)
    assert [type(error) for error in reported] == [ChildStillRunning]
    await asyncio.sleep(100)


async def test_an_abandoned_generator_stops_the_children_and_what_they_raised_is_reported(reported):
    async def generate():
        async with supervisor() as running:
            running.start_child(fails_to_stop)
            await asyncio.sleep(1)
            yield 1

    generator = generate()
    await anext(generator)
    await generator.aclose()

    assert texts(reported) == ["cleanup"]
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
async def test_what_stops_the_program_comes_out_bare_after_the_others_have_stopped(fatal, reported):
    with pytest.raises(fatal) as caught:
        async with supervisor() as running:
            running.start_child(fails_to_stop)
            running.start_child(crash, 1, fatal("bare"))
            await asyncio.sleep(math.inf)

    assert caught.value.args == ("bare",)
    assert now() == 2
    assert texts(attached(caught.value)) == ["cleanup"]
    assert texts(reported) == ["cleanup"]
    assert asyncio.current_task().cancelling() == 0


async def test_what_stops_the_program_wins_over_giving_up_which_is_reported(reported):
    with pytest.raises(SystemExit) as caught:
        async with supervisor(intensity=0) as running:
            running.start_child(fails_to_stop, SystemExit(3))
            running.start_child(crash)

    (gave_up,) = reported
    assert attached(caught.value) == (gave_up,)
    assert isinstance(gave_up, SupervisorGaveUp)


async def test_a_second_one_that_stops_the_program_is_reported(reported):
    with pytest.raises(SystemExit) as caught:
        async with supervisor() as running:
            running.start_child(fails_to_stop, KeyboardInterrupt())
            running.start_child(crash, 1, SystemExit())

    assert attached(caught.value) == tuple(reported)
    assert [type(error) for error in reported] == [KeyboardInterrupt]


async def test_what_stops_the_program_in_the_body_wins_over_that_of_a_child(reported):
    with pytest.raises(SystemExit) as caught:
        async with supervisor() as running:
            running.start_child(fails_to_stop, KeyboardInterrupt())
            await asyncio.sleep(1)
            raise SystemExit(2)

    assert caught.value.code == 2
    assert [type(error) for error in reported] == [KeyboardInterrupt]


async def test_what_stops_the_program_in_the_body_comes_out_with_what_the_children_raised(reported):
    with pytest.raises(SystemExit) as caught:
        async with supervisor() as running:
            running.start_child(fails_to_stop)
            await asyncio.sleep(1)
            raise SystemExit(2)

    assert caught.value.code == 2
    assert texts(reported) == ["cleanup"]


async def test_an_exception_that_is_no_exception_class_is_a_crash():
    class Odd(BaseException):
        pass

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=1) as running:
            running.start_child(crash, 1, Odd())

    assert [type(one) for one in caught.value.crashes] == [ChildFailed] * 2
    assert isinstance(caught.value.crashes[0].__cause__, Odd)


async def test_children_that_are_cancelled_with_the_whole_loop_add_no_errors(reported):
    async def caller():
        async with supervisor() as running:
            running.start_child(asyncio.sleep, math.inf, name="a")
            running.start_child(asyncio.sleep, math.inf, name="b")

    calling = asyncio.create_task(caller())
    await asyncio.sleep(1)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()

    with pytest.raises(asyncio.CancelledError) as caught:
        await calling
    assert attached(caught.value) == ()
    assert reported == []


@pytest.mark.parametrize("wait", [-1, math.nan, math.inf])
async def test_a_backoff_that_returns_no_seconds_makes_the_supervisor_give_up(wait):
    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(backoff=lambda attempt: wait) as running:
            running.start_child(crash)

    assert [type(one) for one in caught.value.crashes] == [ValueError, UsageError]


async def test_a_backoff_that_raises_makes_the_supervisor_give_up():
    def backoff(attempt):
        raise LookupError("backoff")

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(backoff=backoff) as running:
            running.start_child(asyncio.sleep, math.inf, name="other")
            running.start_child(crash)

    assert texts(caught.value.crashes) == ["crash", "backoff"]
    assert caught.value.message == "supervisor 'supervisor' cannot go on: LookupError: backoff"
    assert caught.value.crashes[1].__traceback__.tb_frame.f_code.co_name == "backoff"
    assert len(asyncio.all_tasks()) == 1


async def test_a_backoff_that_raises_when_all_are_stopped_already_is_reported(reported):
    def backoff(attempt):
        running.stop()
        raise LookupError("backoff")

    async with supervisor(backoff=backoff) as running:
        running.start_child(crash)

    assert sorted(texts(reported)) == ["backoff", "crash"]


async def test_the_traceback_of_a_crash_starts_in_the_child():
    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=0) as running:
            running.start_child(crash)

    assert caught.value.crashes[0].__traceback__.tb_frame.f_code.co_name == "crash"


async def test_a_start_that_the_loop_refuses_is_a_crash():
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()

    def refuse(loop, coroutine, **options):
        raise RuntimeError("refused")

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=1) as running:
            running.start_child(asyncio.sleep, 1, name="a")
            loop.set_task_factory(refuse)
            try:
                await asyncio.sleep(0.1)
            finally:
                loop.set_task_factory(factory)

    assert texts(caught.value.crashes) == ["refused"] * 2


async def test_except_star_picks_crashes_and_the_rest_is_still_a_supervisors():
    gave_up = SupervisorGaveUp("gave up", [ValueError(1), OSError(2)])
    gave_up.name = "main"
    picked = []

    with pytest.raises(UnlostError) as caught:
        try:
            raise gave_up
        except* ValueError as group:
            picked.append(group)

    assert [type(one) for one in picked[0].crashes] == [ValueError]
    assert isinstance(caught.value, SupervisorGaveUp)
    assert (caught.value.name, [type(one) for one in caught.value.crashes]) == ("main", [OSError])


@pytest.mark.parametrize("clone", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
async def test_giving_up_survives_pickling_and_copying(clone):
    ends = iter([1, 10, 0])

    async def child():
        await asyncio.sleep(next(ends))
        raise ValueError(now())

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=1, name="main") as running:
            running.start_child(fails_to_stop)
            running.start_child(child)

    cloned = clone(caught.value)
    assert (cloned.name, cloned.message) == ("main", caught.value.message)
    assert texts(cloned.crashes) == ["11.0", "11.0"]
    assert cloned.crashes[0].__notes__ == caught.value.crashes[0].__notes__
    assert texts(attempts(cloned)) == ["1.0"]
    assert texts(attached(cloned)) == ["cleanup"]


async def test_a_cancelled_child_in_the_group_says_who_cancelled_it():
    async def child():
        asyncio.current_task().cancel("by itself")
        await asyncio.sleep(1)

    with pytest.raises(SupervisorGaveUp) as caught:
        async with supervisor(intensity=0) as running:
            running.start_child(child)

    (cancelled,) = caught.value.crashes
    assert isinstance(cancelled, ChildCancelled)
    assert str(cancelled) == "child 'child' was cancelled: by itself"
