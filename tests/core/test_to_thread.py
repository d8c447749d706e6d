import asyncio
import contextlib
import gc
import logging
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from unlost._core import listen, report_to
from unlost._core._late import LateValue
from unlost._core._to_thread import abandoned, to_thread
from unlost.errors import ChildCancelled, UsageError, attached

pytestmark = pytest.mark.stock  # threads and their clock are real

variable = ContextVar("variable", default="untouched")


@pytest.fixture
def reports():
    found = []
    with report_to(lambda error, what: found.append((error, what))):
        yield found


class Gate:
    """A function for a thread that says when it has started, and waits until it may go on."""

    def __init__(self, error=None):
        self.error = error
        self.started = threading.Event()
        self.may_end = threading.Event()

    def __call__(self):
        self.started.set()
        assert self.may_end.wait(10)
        if self.error is not None:
            raise self.error
        return "value"


def opens(gate):
    """Name it as a user's function is named."""

    def read():
        return gate()

    return read


async def until(condition):
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("not within 5 s")


async def cancelled_in(gate):
    """Call the gate in a thread, cancel the caller when it runs; return the caller when it is done."""
    task = asyncio.create_task(to_thread(opens(gate)))
    await until(gate.started.is_set)
    task.cancel("enough")
    await asyncio.wait({task})
    return task


async def test_it_returns_what_the_function_returns():
    assert await to_thread(divmod, 7, 2) == (3, 1)
    assert await to_thread(int, "ff", base=16) == 255


async def test_a_keyword_may_have_any_name():
    def takes(**options):
        return options

    assert await to_thread(takes, func=1, self=2) == {"func": 1, "self": 2}


async def test_it_runs_in_another_thread_and_in_a_copy_of_the_callers_context():
    def change():
        seen = variable.get()
        variable.set("of the thread")
        return seen, threading.get_ident()

    variable.set("of the caller")
    seen, thread = await to_thread(change)

    assert seen == "of the caller"
    assert variable.get() == "of the caller"
    assert thread != threading.get_ident()


async def test_it_raises_the_functions_own_error():
    error = OSError("no such file")

    def read():
        raise error

    with pytest.raises(OSError, match="no such file") as caught:
        await to_thread(read)
    assert caught.value is error
    assert caught.traceback[-1].name == "read"
    assert "_called" not in [entry.name for entry in caught.traceback]


async def test_a_stop_iteration_comes_out_as_the_cause_of_a_runtime_error():
    with pytest.raises(RuntimeError, match=r"to_thread\(next\) raised StopIteration") as caught:
        await to_thread(next, iter(()))
    assert isinstance(caught.value.__cause__, StopIteration)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
async def test_a_stop_comes_out_in_the_caller(kind):
    def stop():
        raise kind

    with pytest.raises(kind):
        await to_thread(stop)


async def test_a_cancelled_error_of_the_function_is_not_the_callers_cancellation():
    def cancels():
        raise asyncio.CancelledError("of the thread")

    with pytest.raises(ChildCancelled, match="of the thread"):
        await to_thread(cancels)


async def test_python_loses_the_late_error_of_a_thread(caplog):
    """This is Python's own behaviour."""
    calls = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: calls.append(context))
    gate = Gate(OSError("late"))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await asyncio.to_thread(gate)
    gate.may_end.set()
    await asyncio.sleep(0.1)
    gc.collect()

    assert calls == []
    assert caplog.records == []


async def test_a_timeout_does_not_wait_and_the_late_error_is_reported(reports):
    error = OSError("late")
    gate = Gate(error)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await to_thread(opens(gate))
    assert reports == []
    gate.may_end.set()
    await until(lambda: reports)

    ((reported, what),) = reports
    assert reported is error
    assert what.startswith("to_thread(read) failed; the caller was cancelled 0.")
    assert what.endswith(" s ago")


async def test_a_late_value_is_told():
    events = []
    gate = Gate()
    with listen(events.append):
        await cancelled_in(gate)
        gate.may_end.set()
        await until(lambda: events)

    assert events == [LateValue("to_thread(read)", "value")]


async def test_a_late_stop_is_reported_and_ends_nothing(reports):
    gate = Gate(SystemExit(3))
    await cancelled_in(gate)
    gate.may_end.set()
    await until(lambda: reports)

    assert isinstance(reports[0][0], SystemExit)


async def test_cancelled_comes_out_as_such_and_the_count_is_kept():
    gate = Gate()
    task = await cancelled_in(gate)
    gate.may_end.set()

    assert task.cancelled()
    assert task.cancelling() == 1


@pytest.mark.parametrize("kind", [OSError, SystemExit])
async def test_an_error_that_comes_with_the_cancellation_is_not_lost(kind, reports):
    error = kind("in the same moment")
    gate = Gate(error)
    caught = []

    async def work():
        with pytest.raises((asyncio.CancelledError, kind)) as came_out:
            await to_thread(gate)
        caught.append((came_out.value, asyncio.current_task().cancelling()))

    task = asyncio.create_task(work())
    await until(gate.started.is_set)
    gate.may_end.set()
    time.sleep(0.2)  # noqa: ASYNC251  # the loop must not see the thread's end before the cancellation
    task.cancel("enough")
    await task

    ((out, count),) = caught
    if kind is SystemExit:
        assert out is error
        assert str(attached(out)[0]) == "enough"
    else:
        assert str(out) == "enough"
        assert attached(out) == (error,)
    assert count == 1
    assert reports == []


async def test_a_call_that_waits_for_a_thread_is_not_made_when_its_caller_is_cancelled():
    calls = []
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    gate = Gate()
    first = asyncio.create_task(to_thread(gate))
    await until(gate.started.is_set)
    second = asyncio.create_task(to_thread(calls.append, 1))
    await asyncio.sleep(0.01)
    second.cancel()
    await asyncio.wait({second})
    gate.may_end.set()

    assert await first == "value"
    assert await to_thread(len, "12") == 2
    assert calls == []


async def test_a_call_that_a_thread_takes_up_when_its_caller_has_gone_is_not_made():
    taken, calls, gate = [], [], Gate()

    class TakesItsTime(ThreadPoolExecutor):
        def submit(self, func, /, *args):
            def take_up():
                gate()
                taken.append(func(*args))

            return super().submit(take_up)

    asyncio.get_running_loop().set_default_executor(TakesItsTime(1))
    task = asyncio.create_task(to_thread(calls.append, 1))
    await until(gate.started.is_set)
    task.cancel()
    await asyncio.wait({task})
    gate.may_end.set()
    await until(lambda: taken)

    assert calls == []
    assert task.cancelled()


async def test_an_executor_is_told_the_functions_own_name():
    names = []

    class Names(ThreadPoolExecutor):
        def submit(self, func, /, *args):
            names.append(func.__name__)
            return super().submit(func, *args)

    asyncio.get_running_loop().set_default_executor(Names(1))
    await to_thread(len, "12")

    assert names == ["len"]


async def test_a_call_that_the_executor_drops_is_not_the_callers_cancellation():
    executor = ThreadPoolExecutor(1)
    asyncio.get_running_loop().set_default_executor(executor)
    gate = Gate()
    first = asyncio.create_task(to_thread(gate))
    await until(gate.started.is_set)
    second = asyncio.create_task(to_thread(len, "12"))
    await asyncio.sleep(0.01)
    executor.shutdown(wait=False, cancel_futures=True)
    gate.may_end.set()
    await asyncio.wait({first, second})

    with pytest.raises(ChildCancelled, match=r"to_thread\(len\) was cancelled"):
        await second


async def test_what_outlived_its_caller_is_listed_until_it_ends():
    gate = Gate()
    await cancelled_in(gate)
    (entry,) = abandoned()
    gate.may_end.set()
    await until(lambda: not abandoned())

    name, seconds, where = entry
    assert name == "to_thread(read)"
    assert 0 <= seconds < 5
    assert where.startswith("threading.py:")


async def test_what_somebody_waits_for_is_not_listed():
    gate = Gate()
    task = asyncio.create_task(to_thread(gate))
    await until(gate.started.is_set)
    listed = abandoned()
    gate.may_end.set()
    await task

    assert listed == []


def closes_its_loop_early(gate, *, cancel):
    async def main():
        task = asyncio.create_task(to_thread(gate))
        await until(gate.started.is_set)
        if cancel:
            task.cancel()
            await asyncio.wait({task})
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(main())
    loop.close()
    return task


@pytest.mark.parametrize("cancel", [False, True])
def test_a_loop_that_is_closed_before_the_thread_ends_loses_nothing(cancel, reports, caplog):
    error = OSError("late")
    gate = Gate(error)
    task = closes_its_loop_early(gate, cancel=cancel)
    gate.may_end.set()
    for _ in range(1000):
        if reports:
            break
        time.sleep(0.005)

    ((reported, what),) = reports
    assert reported is error
    assert ("the caller was cancelled" if cancel else "its loop was closed") in what
    assert [record for record in caplog.records if record.name == "concurrent.futures"] == []
    task._log_destroy_pending = False
    with contextlib.suppress(RuntimeError):
        task.get_coro().close()


def test_an_error_that_comes_while_the_interpreter_exits_is_printed(tmp_path):
    script = tmp_path / "late.py"
    script.write_text(
        "import asyncio, time\n"
        "from unlost._core._to_thread import to_thread\n"
        "def read():\n"
        "    time.sleep(0.3)\n"
        "    raise OSError('late')\n"
        "async def main():\n"
        "    task = asyncio.create_task(to_thread(read))\n"
        "    await asyncio.sleep(0.05)\n"
        "    task.cancel()\n"
        "    await asyncio.wait({task})\n"
        "loop = asyncio.new_event_loop()\n"
        "loop.run_until_complete(main())\n"
        "loop.close()\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0
    assert done.stderr.startswith("unlost: to_thread(read) failed; the caller was cancelled 0.")
    assert done.stderr.endswith("OSError: late\n")


async def test_python_never_tells_of_a_dropped_future_of_an_executor_or_of_another_threads_coroutine(caplog):
    """This is Python's own behaviour; ``to_thread`` and ``spawn`` take their place."""
    calls = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: calls.append(context))

    async def fails():
        raise OSError("in the loop")

    def fails_in_a_thread():
        asyncio.run_coroutine_threadsafe(fails(), loop)
        raise OSError("in the thread")

    with caplog.at_level(logging.DEBUG), ThreadPoolExecutor(1) as executor:
        ended = executor.submit(fails_in_a_thread)
        await until(ended.done)
        del ended
        await asyncio.sleep(0.05)
        gc.collect()

    assert calls == []
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


async def test_a_coroutine_object_is_refused_and_closed():
    async def read():
        return None

    coroutine = read()

    with pytest.raises(UsageError, match=r"Write to_thread\(read, ...\)"):
        await to_thread(coroutine)
    with pytest.raises(RuntimeError, match="cannot reuse"):
        await coroutine


class Local:
    pass


@pytest.mark.parametrize("way", ["awaited", "left", "ended in the same moment", "stopped in the same moment"])
async def test_its_frames_are_freed_without_the_collector(way):
    alive = weakref.WeakSet()

    def fails():
        local = Local()
        alive.add(local)
        time.sleep(0.05)
        raise (SystemExit if "stopped" in way else OSError)(local)

    async def calls():
        with contextlib.suppress(asyncio.CancelledError, OSError, SystemExit):
            await to_thread(fails)

    async def run():
        task = asyncio.create_task(calls())
        await asyncio.sleep(0.01)
        if "moment" in way:
            time.sleep(0.1)  # noqa: ASYNC251  # the loop must not see the thread's end before the cancellation
        if way != "awaited":
            task.cancel()
        await asyncio.wait({task})

    gc.collect()
    gc.disable()
    try:
        with report_to(lambda error, what: None):
            await run()
            await asyncio.sleep(0.1)

        assert len(alive) == 0
    finally:
        gc.enable()
