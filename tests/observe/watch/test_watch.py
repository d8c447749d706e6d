"""Starting and stopping, and what must never come out of it."""
# ruff: noqa: SIM105  (what is watched is written as people write it)

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from unlost.errors import UsageError
from unlost.observe.watch import Verdict, start
from unlost.observe.watch._alive import alive
from unlost.observe.watch._monitor import Monitor

monitored = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is 3.12's")


def swallow() -> None:
    try:
        raise ValueError("x")
    except Exception:
        pass


def test_a_second_start_is_refused() -> None:
    watch = start()

    with pytest.raises(UsageError, match="already"):
        start()
    watch.stop()
    watch.stop()
    start().stop()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="what older ones say")
def test_before_3_12_it_says_plainly_what_it_cannot_tell() -> None:
    watch = start()
    watch.stop()

    assert watch.mode == "boundary"
    assert watch.why.startswith("Python before 3.12 does not tell")


@monitored
def test_nothing_is_followed_after_the_end() -> None:
    watch = start()
    swallow()
    watch.stop()

    swallow()

    assert watch.mode == "monitoring"
    assert watch.collector.counts == {Verdict.SWALLOWED: 1}


@monitored
def test_where_other_tools_have_taken_the_places_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monitoring = sys.monitoring  # type: ignore[attr-defined]  # 3.12's
    monitoring.use_tool_id(3, "three")
    monitoring.use_tool_id(4, "four")
    try:
        watch = start()
        watch.stop()
    finally:
        monitoring.free_tool_id(3)
        monitoring.free_tool_id(4)

    assert watch.mode == "boundary"
    assert "Two other tools" in watch.why


@monitored
def test_a_debugger_and_coverage_keep_their_places_and_their_events() -> None:
    monitoring = sys.monitoring  # type: ignore[attr-defined]  # as above
    if monitoring.get_tool(1) is not None:
        monitoring = None  # coverage itself runs: that it goes on is seen by its report
    watch = start()
    try:
        if monitoring is not None:
            monitoring.use_tool_id(1, "coverage")
            monitoring.free_tool_id(1)
        swallow()
    finally:
        watch.stop()

    assert watch.collector.counts == {Verdict.SWALLOWED: 1}


@monitored
def test_a_fault_of_ours_is_counted_and_stays_out_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError

    watch = start()
    held = ValueError("held")
    with contextlib.suppress(Exception):  # where nothing is followed, less is looked at
        raise held
    monkeypatch.setattr(Monitor, "_handled", fail)
    monkeypatch.setattr(Monitor, "_reraised", fail)
    monkeypatch.setattr(Monitor, "_suppressed", fail)

    swallow()
    with contextlib.suppress(Exception):
        try:
            raise ValueError("x")
        finally:
            raise KeyError("y")
    watch.stop()

    assert sum(watch.collector.faults.values()) >= 3
    assert all(fault.startswith("ZeroDivisionError at ") for fault in watch.collector.faults)


@monitored
def test_what_is_followed_is_known_for_as_long_as_it_is_there() -> None:
    watch = start()
    before = set(alive)
    held = ValueError("held")
    with contextlib.suppress(Exception):
        raise held
    during = alive - before
    del held
    after = alive - before
    watch.stop()

    assert len(during) == 1
    assert after == set()


@monitored
def test_what_an_exceptions_own_text_raises_and_handles_is_not_looked_at() -> None:
    class Talkative(Exception):
        def __str__(self) -> str:
            swallow()
            return "talkative"

    watch = start()
    try:
        raise Talkative
    except Exception:
        pass
    watch.stop()

    assert [one.text for one in watch.collector.findings] == ["talkative"]


@monitored
def test_what_steers_a_program_is_nobodys_loss() -> None:
    def generator():  # type: ignore[no-untyped-def]
        try:
            yield 1
        except:  # noqa: E722
            pass

    watch = start()
    one = generator()
    next(one)
    one.close()
    for error in (KeyboardInterrupt, SystemExit, StopIteration, StopAsyncIteration):
        try:
            raise error
        except:  # noqa: E722
            pass
    watch.stop()

    assert watch.collector.counts == {}


@monitored
def test_a_program_that_makes_code_as_it_runs_does_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlost.observe.watch._codes.MOST", 50)
    watch = start()
    for _ in range(500):
        exec("try:\n  raise ValueError\nexcept Exception:\n  pass")
    watch.stop()

    assert len(watch._monitor._codes._kept) <= 50
    assert watch.collector.counts[Verdict.SWALLOWED] == 500


@monitored
def test_threads_are_watched_alike() -> None:
    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(lambda: [swallow() for _ in range(50)]) for _ in range(8)))

    watch = start()
    asyncio.run(main())
    watch.stop()

    assert watch.collector.counts == {Verdict.SWALLOWED: 400}
    assert watch.collector.faults == {}


@monitored
@pytest.mark.slow
def test_memory_is_flat_over_a_hundred_thousand_errors(tmp_path: Path) -> None:
    program = """
import asyncio, resource, gc
from unlost.observe.watch import start
async def boom(): raise ValueError("x" * 1000)
async def main(n):
    for _ in range(n): await asyncio.gather(boom(), boom(), return_exceptions=True)
def used(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
watch = start()
asyncio.run(main(5000)); before = used()
asyncio.run(main(50000)); after = used()
watch.stop()
print(after - before, sum(watch.collector.counts.values()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)

    grown, counted = map(int, done.stdout.split())
    assert counted == 110_000
    assert grown < 8_000  # KiB


@monitored
def test_an_unkept_task_that_failed_is_unknown_where_loops_are_not_heard() -> None:
    async def fail() -> None:
        raise ValueError("x")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        asyncio.create_task(fail())  # noqa: RUF006  # that is what it is about
        await asyncio.sleep(0.01)

    watch = start()
    asyncio.run(main())
    watch.stop()

    assert watch.collector.counts == {Verdict.UNKNOWN: 1}
