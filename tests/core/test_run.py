"""The entry point, inside of this process: what comes out, and in which order everything ends."""

import asyncio
import contextvars
import gc
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable

import pytest

from support.loops import REAL
from unlost._core import map as unlost_map
from unlost._core import partial, report_to, settle
from unlost._core.background._background import Background
from unlost._core.background._run import run
from unlost._core.background._spawn import spawn
from unlost.errors import UsageError, attached

pytestmark = pytest.mark.stock


@pytest.fixture
def reported():
    told = []
    with report_to(lambda error, what: told.append((error, what))):
        yield told


@pytest.fixture(params=REAL.values(), ids=REAL)
def loop_factory(request) -> Callable[[], asyncio.AbstractEventLoop]:
    return request.param


async def returning(value):
    return value


async def failing(error):
    raise error


async def stop(error):
    await asyncio.sleep(0)
    raise error


def test_it_returns_what_main_returned(loop_factory):
    assert run(returning, 3, loop_factory=loop_factory) == 3


def test_it_takes_a_coroutine_object_as_asyncio_does():
    assert run(returning(3)) == 3


def test_what_main_raises_comes_out_itself():
    error = KeyError("own")
    with pytest.raises(KeyError) as raised:
        run(failing, error)

    assert raised.value is error


def test_a_main_that_cancels_itself_comes_out_cancelled():
    async def main():
        asyncio.current_task().cancel("by itself")
        await asyncio.sleep(1)

    with pytest.raises(asyncio.CancelledError, match="by itself"):
        run(main)


def test_the_loop_is_closed_and_no_current_loop_is_left():
    async def main():
        return asyncio.get_running_loop()

    loop = run(main, debug=True)

    assert loop.is_closed()
    assert loop.get_debug()


def test_context_variables_of_the_caller_are_seen_and_its_own_stay_inside():
    variable = contextvars.ContextVar("variable", default="default")

    async def main():
        seen = variable.get()
        variable.set("inside")
        return seen

    variable.set("outside")

    assert run(main) == "outside"
    assert variable.get() == "outside"


async def test_inside_of_a_running_loop_it_says_to_await_and_closes_the_coroutine():
    coroutine = returning(1)
    with pytest.raises(UsageError, match="Write await returning"):
        run(coroutine)
    with pytest.raises(UsageError, match=r"was called inside of a running event loop.\nWrite await returning"):
        run(returning, 1)

    assert coroutine.cr_frame is None


def test_a_mistaken_call_is_refused_and_leaves_nothing_un_awaited():
    coroutine = returning(1)
    with pytest.raises(UsageError, match=r"Write unlost.run\(returning, \*args\)"):
        run(coroutine, 1)
    with pytest.raises(UsageError, match="got grace=-1"):
        run(returning(1), grace=-1)
    with pytest.raises(UsageError, match="got 3 where it needs an async function"):
        run(3)
    with pytest.raises(UsageError, match="Write async def len"):
        run(len, "abc")


def test_spawned_tasks_get_their_grace_when_main_is_over():
    async def main():
        return spawn(asyncio.sleep, 0.05, "done")

    handle = run(main)

    assert handle.outcome.value == "done"


def test_what_outlives_the_grace_is_cancelled_with_a_reason():
    async def main():
        return spawn(asyncio.sleep, 100)

    handle = run(main, grace=0.01)

    assert handle.outcome.reason == "the program ends, and 0.01 s of grace are over"


def test_background_failures_that_nobody_awaited_come_out_with_mains_value_on_them(reported, loop_factory):
    first, second = ValueError("first"), OSError("second")

    async def main():
        spawn(failing, first)
        async with Background() as background:
            background.spawn(failing, second)
        return 42

    with pytest.raises(ExceptionGroup, match="2 background tasks failed") as raised:
        run(main, loop_factory=loop_factory)

    assert set(raised.value.exceptions) == {first, second}
    assert [outcome.value for outcome in partial(raised.value)] == [42]
    assert {error for error, _ in reported} == {first, second}


def test_only_the_last_hundred_are_in_the_group(reported):
    async def main():
        for number in range(103):
            spawn(failing, ValueError(number))
            await asyncio.sleep(0)

    with pytest.raises(ExceptionGroup, match=r"103 background tasks failed.*the last 100\)") as raised:
        run(main)

    assert [error.args[0] for error in raised.value.exceptions] == list(range(3, 103))
    assert len(reported) == 103


def test_a_background_failure_that_was_awaited_makes_nothing_fail(reported):
    async def main():
        handle = spawn(failing, ValueError("awaited"))
        await asyncio.sleep(0.01)  # it is reported by then
        with pytest.raises(ValueError, match="awaited"):
            await handle
        return 42

    assert run(main) == 42
    assert len(reported) == 1


def test_background_failures_travel_with_what_main_raises(reported):
    in_background, own = ValueError("background"), KeyError("own")

    async def main():
        spawn(failing, in_background)
        await asyncio.sleep(0.01)
        raise own

    with pytest.raises(KeyError) as raised:
        run(main)

    assert raised.value is own
    assert attached(own) == (in_background,)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("start", [spawn, lambda func, *args: asyncio.ensure_future(func(*args))])
def test_a_stopping_exception_of_any_task_cancels_main_and_comes_out_when_all_has_ended(
    reported, kind, start, loop_factory
):
    log = []

    async def clean_up():
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.01)
            log.append("background")

    async def main():
        spawn(clean_up)
        task = start(stop, fatal)
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError as cancelled:
            log.append(str(cancelled))
            await asyncio.sleep(0.01)
            raise failure from None
        finally:
            del task

    fatal, failure = kind(3), ValueError("cleanup")
    with pytest.raises(kind) as raised:
        run(main, grace=0.05, loop_factory=loop_factory)

    assert raised.value is fatal
    assert attached(fatal) == (failure,)
    assert [error for error, _ in reported] == [failure]
    assert log[0].startswith(f"{kind.__name__} was raised in") or log[1].startswith(f"{kind.__name__} was raised in")
    assert "background" in log


def test_a_stopping_exception_in_a_callback_comes_out_in_order(loop_factory):
    fatal = SystemExit(3)
    log = []

    def callback():
        raise fatal

    async def main():
        asyncio.get_running_loop().call_soon(callback)
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.01)
            log.append("cleaned up")

    with pytest.raises(SystemExit) as raised:
        run(main, loop_factory=loop_factory)

    assert raised.value is fatal
    assert log == ["cleaned up"]


def test_a_second_exit_does_not_cut_the_cleanup_of_main_short():
    async def exit_after(seconds, status):
        await asyncio.sleep(seconds)
        raise SystemExit(status)

    async def main():
        tasks = [asyncio.create_task(exit_after(seconds, status)) for seconds, status in ((0, 1), (0.05, 2))]
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.1)
            log.append(len(tasks))

    log = []
    with pytest.raises(SystemExit) as raised:
        run(main)

    assert raised.value.code == 1
    assert [error.code for error in attached(raised.value)] == [2]
    assert log == [2]


def test_mains_own_exit_wins_and_the_others_travel_with_it(reported):
    first, own = SystemExit(3), SystemExit(4)

    async def main():
        spawn(stop, first)
        try:
            await asyncio.sleep(100)
        finally:
            raise own

    with pytest.raises(SystemExit) as raised:
        run(main)

    assert raised.value is own
    assert attached(own) == (first,)
    assert [error for error, _ in reported] == [first]


def test_stopping_the_loop_ends_main_in_order(loop_factory):
    log = []

    async def main():
        asyncio.get_running_loop().stop()
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(0.01)
            log.append("cleaned up")

    with pytest.raises(RuntimeError, match="stopped before Future completed"):
        run(main, loop_factory=loop_factory)

    assert log == ["cleaned up"]


def test_tasks_that_are_left_are_cancelled_and_what_they_raise_is_reported_once(reported, loop_factory):
    failure = ValueError("cleanup")

    async def left():
        try:
            await asyncio.sleep(100)
        finally:
            raise failure

    async def waits(task):
        await task

    async def main():
        left_task = asyncio.create_task(left(), name="left")
        tasks.append(asyncio.create_task(waits(left_task), name="waits"))
        await asyncio.sleep(0.01)

    tasks = []
    run(main, loop_factory=loop_factory)

    assert [error for error, _ in reported] == [failure]
    assert reported[0][1] == "task 'left' failed while the program was ending"
    tasks[0].exception()


def test_a_program_that_cancels_and_awaits_all_tasks_there_are_does_not_wait_for_itself():
    async def main():
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(tasks)

    assert run(main) == 0


def test_a_failed_task_that_nobody_awaited_is_reported_at_the_end_also_where_something_refers_to_it(
    reported, loop_factory
):
    async def main():
        task = asyncio.create_task(failing(ValueError("never awaited")), name="forgotten")
        circle = [task]
        circle.append(circle)
        await asyncio.sleep(0.01)

    run(main, loop_factory=loop_factory)

    assert [str(error) for error, _ in reported] == ["never awaited"]
    assert reported[0][1].startswith("Task exception was never retrieved: task 'forgotten'")


def test_a_failing_callback_is_reported(reported, loop_factory):
    def callback():
        raise ValueError("callback")

    async def main():
        asyncio.get_running_loop().call_soon(callback)
        await asyncio.sleep(0.01)

    run(main, loop_factory=loop_factory)

    assert [str(error) for error, _ in reported] == ["callback"]


def test_async_generators_are_closed_and_what_that_raises_is_reported(reported, loop_factory):
    async def generator():
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            raise ValueError("finalizer")

    async def main():
        left.append(generator())
        await anext(left[0])

    left = []
    run(main, loop_factory=loop_factory)

    assert [str(error) for error, _ in reported] == ["finalizer"]
    assert "async" in reported[0][1]


def test_calls_in_the_executor_are_waited_for():
    def call():
        time.sleep(0.05)
        done.append(True)

    async def main():
        asyncio.get_running_loop().run_in_executor(None, call)

    done = []
    run(main)

    assert done == [True]


def test_a_stuck_call_is_named_and_abandoned_and_its_late_error_reported(capfd, reported):
    released = threading.Event()
    error = ValueError("late")

    def stuck():
        released.wait(20)
        raise error

    async def main():
        asyncio.get_running_loop().run_in_executor(None, stuck)
        await asyncio.sleep(0.01)

    run(main, grace=0.05)
    told = capfd.readouterr().err
    released.set()
    for thread in threading.enumerate():
        if thread.name.startswith("unlost-"):
            thread.join(20)

    assert told.startswith("unlost: thread 'unlost-0', called for stuck(), still running at threading.py:")
    assert told.endswith("; it is abandoned\n")
    assert [told for told, _ in reported] == [error]


def test_to_thread_works_many_times_at_once():
    async def main():
        return await asyncio.gather(*(asyncio.to_thread(str, number) for number in range(200)))

    assert run(main) == [str(number) for number in range(200)]


def test_a_task_that_does_not_stop_is_said_and_the_run_ends(capfd, reported):
    async def stubborn():
        while True:
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                continue

    async def main():
        asyncio.get_running_loop().set_task_factory(None)
        tasks.append(asyncio.create_task(stubborn(), name="mule"))
        await asyncio.sleep(0)

    tasks = []
    run(main, stop_within=0.1)

    told = capfd.readouterr().err
    assert told.startswith("unlost: task 'mule': cancellation requested 0.1 s ago, still running at test_run.py:")
    tasks.pop().get_coro().close()
    gc.collect()
    assert reported == []  # it was said once: not again when it is destroyed


def test_in_another_thread_it_works_without_signals():
    results = []
    thread = threading.Thread(target=lambda: results.append(run(returning, 3)))
    thread.start()
    thread.join(20)

    assert results == [3]


def test_several_programs_in_several_threads_each_own_their_tasks():
    async def main(number):
        handle = spawn(returning, number)
        return await handle

    results = []
    threads = [threading.Thread(target=lambda n=n: results.append(run(main, n))) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(results) == [0, 1, 2, 3, 4]


def test_code_in_a_context_of_its_own_finds_the_program_of_its_loop():
    async def main():
        handle = contextvars.Context().run(spawn, asyncio.sleep, 0, "found")
        return await handle

    assert run(main) == "found"


def test_a_loop_that_cannot_be_made_leaves_nothing_un_awaited():
    def broken():
        raise OSError("no loop")

    with pytest.raises(OSError, match="no loop"), warnings.catch_warnings():
        warnings.simplefilter("error")
        run(returning(1), loop_factory=broken)


def test_nothing_is_written_where_nothing_went_wrong(capfd):
    run(returning, 1)

    assert capfd.readouterr() == ("", "")


def test_a_cancellation_that_is_pending_when_main_returns_loses_neither_the_value_nor_the_end() -> None:
    ended = []

    async def background() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("background")

    async def main() -> int:
        spawn(background)
        await asyncio.sleep(0)
        asyncio.current_task().cancel("late")
        return 5

    assert run(main, grace=0) == 5
    assert ended == ["background"]


def test_ctrl_c_in_the_middle_of_a_map_hands_over_what_there_is_and_reports_nothing() -> None:
    async def job(item: int) -> int:
        await asyncio.sleep(0.01 if item < 4 else 60)
        if item % 2:
            raise ValueError(item)
        return item

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.3, os.kill, os.getpid(), signal.SIGINT)
        await unlost_map(job, range(6), limit=6)

    reported: list[BaseException] = []
    with report_to(lambda error, what: reported.append(error)), pytest.raises(KeyboardInterrupt) as caught:
        run(main)

    outcomes = partial(caught.value)
    assert outcomes is not None
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Value",
        "Failure",
        "Value",
        "Failure",
        *["Cancelled"] * 2,
    ]
    assert reported == []


def test_a_main_that_is_cancelled_comes_out_as_that_with_what_there_was() -> None:
    async def fails() -> None:
        raise OSError

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.05, asyncio.current_task().cancel, "outside")
        await settle(fails(), asyncio.sleep(60))

    with pytest.raises(asyncio.CancelledError, match="outside") as caught:
        run(main)

    assert len(partial(caught.value)) == 2
