"""What the tests rely on: each loop keeps virtual time, real threads and sockets, and says when a test hangs."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from contextvars import ContextVar, copy_context
from pathlib import Path

import pytest

from support.loops import REAL, VIRTUAL, chosen

where = ContextVar("where", default="nowhere")


def run(virtual_loop, coroutine):
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        return runner.run(coroutine)


def test_hours_pass_in_no_time(virtual_loop):
    async def main():
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began = time.monotonic()

    assert run(virtual_loop, main()) == 3600
    assert time.monotonic() - began < 5


def test_timers_fire_in_the_order_of_their_times(virtual_loop):
    async def main():
        loop, fired = asyncio.get_running_loop(), []
        for name, delay in {"late": 2, "soon": 1, "zero": 0, "cancelled": 1.5}.items():
            timer = loop.call_later(delay, fired.append, name)
        timer.cancel()
        await asyncio.sleep(3)
        return fired

    assert run(virtual_loop, main()) == ["zero", "soon", "late"]


def test_a_timer_that_another_one_of_the_same_moment_cancels_does_not_fire(virtual_loop):
    async def main():
        loop, fired = asyncio.get_running_loop(), []
        loop.set_exception_handler(lambda _loop, context: fired.append(context))
        loop.call_later(1, lambda: second.cancel())
        second = loop.call_later(1, fired.append, "second")
        await asyncio.sleep(2)
        return fired

    assert run(virtual_loop, main()) == []


def test_what_is_ready_runs_before_time_passes(virtual_loop):
    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(0.001, lambda: None)
        for _ in range(100):
            await asyncio.sleep(0)
        return loop.time()

    assert run(virtual_loop, main()) == 0


def test_a_timeout_cuts_short_what_waits_for_ever(virtual_loop):
    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run(virtual_loop, main()) == 10


def test_a_thread_has_its_time_where_nothing_else_waits(virtual_loop):
    assert run(virtual_loop, asyncio.to_thread(lambda: time.sleep(0.05) or "done")) == "done"


def test_patience_begins_anew_with_each_answer(virtual_loop):
    async def main():
        for _ in range(3):
            await asyncio.to_thread(time.sleep, 0.2)

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.get_loop().patience = 0.5

        assert runner.run(main()) is None


def test_a_timer_may_be_set_by_what_a_file_descriptor_woke(virtual_loop):
    async def main():
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        reading, writing = os.pipe()
        loop.add_reader(reading, lambda: (os.read(reading, 1), loop.call_later(1, woken.set)))
        thread = threading.Timer(0.05, os.write, (writing, b"x"))  # by then everything else is idle
        thread.start()
        await woken.wait()
        loop.remove_reader(reading)
        thread.join()
        os.close(reading)
        os.close(writing)
        return loop.time()

    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.get_loop().patience = 1

        assert runner.run(main()) == 1


def test_sockets_are_real(virtual_loop):
    async def echo(reader, writer):
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()

    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
        return answer

    assert run(virtual_loop, main()) == b"hello\n"


def test_a_callback_sees_the_context_that_it_was_given(virtual_loop):
    async def main():
        loop, seen = asyncio.get_running_loop(), []
        where.set("here")
        here = copy_context()
        loop.call_later(1, lambda: seen.append(where.get()))
        where.set("there")
        loop.call_later(1, lambda: seen.append(where.get()), context=here)
        loop.call_soon(lambda: seen.append(where.get()), context=here)
        await asyncio.create_task(child(seen), context=here)
        await asyncio.sleep(2)
        return seen

    async def child(seen):
        seen.append(where.get())

    assert run(virtual_loop, main()) == ["here"] * 4


def test_a_timers_error_reaches_the_loops_handler(virtual_loop):
    async def main():
        loop, told = asyncio.get_running_loop(), []
        loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
        loop.call_later(1, int, "none")
        await asyncio.sleep(2)
        return [type(error) for error in told]

    assert run(virtual_loop, main()) == [ValueError]


def test_an_exit_in_a_timer_comes_out_of_the_loop(virtual_loop):
    async def main():
        asyncio.get_running_loop().call_later(1, sys.exit, 3)
        await asyncio.sleep(2)

    with pytest.raises(SystemExit) as caught:
        run(virtual_loop, main())

    assert caught.value.code == 3


def test_a_test_that_hangs_is_told_so(virtual_loop):
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.get_loop().patience = 0.05

        with pytest.raises(RuntimeError, match=r"no thread answered within 0\.05 s: this test hangs"):
            runner.run(asyncio.Event().wait())


def test_a_loop_goes_on_after_it_was_told_to_hang(virtual_loop):
    with asyncio.Runner(loop_factory=virtual_loop) as runner:
        runner.get_loop().patience = 0.05
        with pytest.raises(RuntimeError):
            runner.run(asyncio.Event().wait())

        assert runner.run(asyncio.sleep(1, "slept")) == "slept"


@pytest.mark.parametrize("loops", [VIRTUAL, REAL])
def test_tasks_are_eager_where_the_name_says_so_and_named_in_any_case(loops):
    async def main():
        started = []

        async def child():
            started.append(asyncio.current_task())

        task = asyncio.create_task(child(), name="child")
        at_once = bool(started)
        await task
        return at_once, task.get_name()

    seen = {name: run(make, main()) for name, make in loops.items()}

    assert seen == {name: (name.endswith("-eager"), "child") for name in loops}


@pytest.mark.skipif("uvloop" not in VIRTUAL, reason="there is no uvloop here")
def test_uvloops_time_comes_in_milliseconds():
    async def main():
        before = asyncio.get_running_loop().time()
        await asyncio.sleep(0.0004)
        soon = asyncio.get_running_loop().time()
        await asyncio.sleep(0.0016)
        return before, soon, asyncio.get_running_loop().time()

    assert run(VIRTUAL["uvloop"], main()) == (0, 0, 0.002)


def test_the_environment_chooses_among_the_loops():
    assert list(chosen(VIRTUAL, "")) == list(VIRTUAL)
    assert list(chosen(VIRTUAL, "asyncio")) == ["asyncio"]
    with pytest.raises(pytest.UsageError, match=r"UNLOST_LOOPS names \['trio'\]; on this Python there are asyncio"):
        chosen(VIRTUAL, "asyncio,trio")


def collected(file, **environment):
    """Return how often the test run collects each test of a file of the core."""
    folder = Path(__file__).parents[2]
    listing = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", file],
        cwd=folder, env={**os.environ, "UNLOST_LOOPS": "", **environment}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.partition("::")[2] for line in listing.stdout.splitlines() if "::" in line]


def test_the_tests_of_the_core_run_once_on_each_loop_in_real_time_too():
    tests = collected("tests/core/test_loops.py")

    assert {f"test_the_loop_as_it_comes[{name}]" for name in REAL} <= set(tests)
    assert {f"test_a_map_inside_a_map[{name}]" for name in VIRTUAL} <= set(tests)


def test_the_tests_of_the_core_run_on_the_chosen_loops_only():
    assert "test_a_map_inside_a_map" in collected("tests/core/test_loops.py", UNLOST_LOOPS="asyncio")
