"""What users of the virtual clock rely on; ``tests/support/test_loops.py`` has what holds for uvloop's as well."""

import asyncio
import re
import threading
import time

import pytest

import unlost
from unlost.testing import VirtualTimeLoop, run


class Impatient(VirtualTimeLoop):
    patience = 0.05
    thread_patience = 0.05


def test_what_a_program_waits_for_is_there_at_once():
    async def main(seconds):
        await asyncio.sleep(seconds)
        return asyncio.get_running_loop().time()

    began = time.monotonic()

    assert run(main, 86_400.0) == 86_400.0
    assert time.monotonic() - began < 5


def test_the_clock_starts_at_zero():
    async def main():
        return asyncio.get_running_loop().time()

    assert run(main) == 0


@pytest.mark.parametrize("to_thread", [asyncio.to_thread, unlost.to_thread])
def test_a_limit_of_time_around_a_thread_does_not_fire_while_the_thread_works(to_thread):
    async def main():
        async with asyncio.timeout(1e-6):
            return await to_thread(lambda: time.sleep(0.05) or "done")

    assert run(main) == "done"


def test_time_passes_again_after_the_call_in_a_thread():
    async def main():
        await asyncio.to_thread(int)
        began = time.monotonic()
        await asyncio.sleep(3600)
        return time.monotonic() - began

    assert run(main) < 0.5


def test_a_call_that_was_given_up_does_not_hold_the_clock():
    async def main():
        running = asyncio.get_running_loop().run_in_executor(None, released.wait)
        running.cancel()
        await asyncio.sleep(0)
        began = time.monotonic()
        await asyncio.sleep(3600)
        took = time.monotonic() - began
        released.set()
        return took

    released = threading.Event()

    assert run(main) < 0.5


def test_a_thread_that_waits_for_virtual_time_gets_it_after_the_patience():
    async def main():
        loop, released = asyncio.get_running_loop(), threading.Event()
        loop.call_later(10, released.set)
        return await asyncio.to_thread(released.wait), loop.time()

    with asyncio.Runner(loop_factory=Impatient) as runner:
        assert runner.run(main()) == (True, 10)


def test_a_process_may_be_awaited():
    async def main():
        process = await asyncio.create_subprocess_exec("echo", "hello", stdout=asyncio.subprocess.PIPE)
        told, _ = await process.communicate()
        return told, process.returncode

    assert run(main) == (b"hello\n", 0)


def test_a_hang_names_the_tasks_and_where_they_wait():
    async def never():
        await asyncio.Event().wait()

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(never(), name="the second")
            await never()

    with (
        asyncio.Runner(loop_factory=Impatient) as runner,
        pytest.raises(RuntimeError, match="this test hangs") as caught,
    ):
        runner.run(main())

    lines = [re.sub(r"\d+", "N", line) for line in str(caught.value).splitlines()[1:]]
    place = "test_virtual_time.py:N in test_a_hang_names_the_tasks_and_where_they_wait.<locals>.never"
    assert lines == [f"  Task-N waits at {place}", f"  the second waits at {place}"]


def test_a_hang_of_many_tasks_names_ten():
    async def main():
        async with asyncio.TaskGroup() as group:
            for _ in range(30):
                group.create_task(asyncio.Event().wait())

    with asyncio.Runner(loop_factory=Impatient) as runner, pytest.raises(RuntimeError) as caught:
        runner.run(main())

    lines = str(caught.value).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "  ... and 21 more"


def test_timers_far_away_are_reached_in_a_few_jumps():
    async def main():
        loop, jumps = asyncio.get_running_loop(), []
        jump = loop._jump
        loop._jump = lambda timeout: (jumps.append(timeout), jump(timeout))
        await asyncio.sleep(0.1)
        await asyncio.sleep(1e6 + 0.7)
        return len(jumps)

    assert run(main) <= 1e6 / 86_400 + 10  # asyncio itself waits no longer than a day at a time


def test_what_fails_in_the_background_comes_out_of_run():
    async def fail():
        raise ValueError("background")

    async def main():
        unlost.spawn(fail)
        await asyncio.sleep(1)

    with pytest.raises(ExceptionGroup) as caught, unlost.report_to(lambda *_: None):
        run(main)

    assert [str(error) for error in unlost.leaves(caught.value)] == ["background"]
