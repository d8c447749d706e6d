"""
Exits and other exceptions that are no ``Exception``: a job's are its own failure, and none ends a run in silence.

What they do in the job itself is also in ``test_error_zoo.py``; here they are the only thing that happens.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.command import CommandLine
from support.loops import REAL, chosen

pytestmark = pytest.mark.stock

JOBS = """
import asyncio, contextlib, os, sys


class Odd(BaseException):
    pass


WHAT = {
    "SystemExit": SystemExit(0),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "GeneratorExit": GeneratorExit(),
    "Odd": Odd("neither"),
    "CancelledError": asyncio.CancelledError("raised"),
}


def fail():
    raise WHAT[os.environ["WHAT"]]


def maybe_fail(where):
    if os.environ.get("WHERE") == where:
        fail()


maybe_fail("import")


async def in_job(item):
    await asyncio.sleep(0.01)
    if item["n"] == 3:
        fail()
    await asyncio.sleep(0.05)
    return item["n"]


async def in_child(item):
    async def child():
        await asyncio.sleep(0)
        fail()

    await asyncio.sleep(0.01)
    if item["n"] == 3:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(60))
            group.create_task(child())
    await asyncio.sleep(0.05)
    return item["n"]


async def left_behind(item):
    async def child():
        await asyncio.sleep(0.01)
        fail()

    asyncio.get_running_loop().dangling = asyncio.create_task(child())
    await asyncio.sleep(0.05)
    return item["n"]


async def at_shutdown(item):
    async def child():
        try:
            await asyncio.sleep(60)
        finally:
            fail()

    asyncio.get_running_loop().dangling = asyncio.create_task(child())
    return item["n"]


async def cancels_itself(item):
    if item["n"] == 3:
        asyncio.current_task().cancel("by itself")
    await asyncio.sleep(0.01)
    return item["n"]


@contextlib.asynccontextmanager
async def managed():
    async def fetch(item):
        return item["n"]

    maybe_fail("enter")
    yield fetch
    maybe_fail("exit")


def again(error):
    fail()


async def refused(item):
    if item["n"] == 3:
        raise ConnectionError("the one that was to be judged")
    return item["n"]
"""

EVERY = ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "Odd", "CancelledError"]
EXITS = ["SystemExit", "KeyboardInterrupt"]


@pytest.fixture(params=[name for name in ("asyncio", "uvloop") if name in chosen(REAL)] or ["asyncio"])
def unlost(tmp_path: Path, request: pytest.FixtureRequest) -> CommandLine:
    command = CommandLine(tmp_path)
    if request.param == "uvloop":
        command.use_uvloop()
    command.write("jobs.py", JOBS)
    command.write_inputs(6)
    return command


def _only_item_3_failed(unlost: CommandLine, name: str) -> dict[str, object]:
    """Return the error of item 3, after checking that all others are well."""
    books = unlost.json("show", f"{name}-1")["books"]
    assert (books["ok"], books["failed"], books["in_doubt"], books["balance"]) == (5, 1, 0, True)
    assert sorted(line["value"] for line in unlost.results()) == [0, 1, 2, 4, 5]
    (dead,) = unlost.json("show", f"{name}-1", "")
    assert dead["input"] == '{"n": 3}'
    error: dict[str, object] = dead["error"]
    return error


@pytest.mark.parametrize("what", EVERY)
def test_what_a_job_raises_is_its_own_failure(unlost: CommandLine, what: str) -> None:
    unlost.environment["WHAT"] = what

    done = unlost("run", "jobs:in_job", "in.jsonl", "--out", "results.jsonl")

    assert (done.returncode, done.stderr) == (1, "")
    assert _only_item_3_failed(unlost, "in_job")["type"]["qualname"] == what  # type: ignore[index]  # a record


@pytest.mark.parametrize("what", EXITS)
def test_an_exit_in_a_task_of_a_job_is_that_jobs_failure_and_is_told(unlost: CommandLine, what: str) -> None:
    unlost.environment["WHAT"] = what

    done = unlost("run", "jobs:in_child", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 1, done.stderr
    assert f"unlost: a job's task or callback raised {what}; the run goes on" in done.stderr
    assert _only_item_3_failed(unlost, "in_child")["type"]["qualname"] == what  # type: ignore[index]  # a record


@pytest.mark.parametrize("what", EXITS)
@pytest.mark.parametrize("job", ["left_behind", "at_shutdown"])
def test_an_exit_in_a_task_that_a_job_left_behind_is_told_and_harms_nothing(
    unlost: CommandLine, what: str, job: str
) -> None:
    unlost.environment["WHAT"] = what
    unlost.write_inputs(1)

    done = unlost("run", f"jobs:{job}", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 0, done.stderr
    assert what in done.stderr
    assert "1 ok · 0 failed" in done.stdout
    assert len(unlost.results()) == 1


def test_a_job_that_cancels_itself_is_a_failure_of_kind_cancelled(unlost: CommandLine) -> None:
    done = unlost("run", "jobs:cancels_itself", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 1, done.stderr
    error = _only_item_3_failed(unlost, "cancels_itself")
    assert (error["kind"], error["message"]) == ("cancelled", "by itself")


@pytest.mark.parametrize("what", EVERY)
def test_what_a_rule_for_retries_raises_is_the_failure_and_the_judged_error_hangs_on_it(
    unlost: CommandLine, what: str
) -> None:
    unlost.environment["WHAT"] = what

    done = unlost(
        "run", "jobs:refused", "in.jsonl", "--retry-on", "jobs:again", "--attempts", "3", "--out", "results.jsonl"
    )

    assert done.returncode == 1, done.stderr
    error = _only_item_3_failed(unlost, "refused")
    assert error["type"]["qualname"] == what  # type: ignore[index]  # a record
    assert "the one that was to be judged" in str(error)


@pytest.mark.parametrize("what", EVERY)
def test_what_the_target_raises_when_it_is_entered_halts_the_run_with_everything_pending(
    unlost: CommandLine, what: str
) -> None:
    unlost.environment |= {"WHAT": what, "WHERE": "enter"}

    done = unlost("run", "jobs:managed", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 3, done.stderr
    assert "0 ok · 0 failed · 0 in doubt · 6 pending" in done.stdout
    assert "unlost: " in done.stderr
    del unlost.environment["WHERE"]
    assert unlost("run", "jobs:managed", "in.jsonl", "--out", "results.jsonl").returncode == 0
    assert len(unlost.results()) == 6


@pytest.mark.parametrize("what", EVERY)
def test_what_the_target_raises_when_it_is_left_is_told_and_loses_no_outcome(unlost: CommandLine, what: str) -> None:
    unlost.environment |= {"WHAT": what, "WHERE": "exit"}

    done = unlost("run", "jobs:managed", "in.jsonl", "--out", "results.jsonl")

    assert done.returncode == 3, done.stderr
    assert "6 ok · 0 failed · 0 in doubt" in done.stdout
    assert "unlost: " in done.stderr
    assert len(unlost.results()) == 6


@pytest.mark.parametrize("what", ["SystemExit", "GeneratorExit", "Odd", "CancelledError"])
def test_what_the_module_raises_at_its_import_is_wrong_usage_and_says_where(unlost: CommandLine, what: str) -> None:
    unlost.environment |= {"WHAT": what, "WHERE": "import"}

    refused = unlost("run", "jobs:in_job", "in.jsonl")

    assert refused.returncode == 2
    assert "The module 'jobs' was found and raised when it was imported: " in refused.stderr
    assert what in refused.stderr
    assert "jobs.py:" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (unlost.folder / ".unlost").exists()


def test_ctrl_c_while_the_module_is_imported_is_an_interruption(unlost: CommandLine) -> None:
    unlost.environment |= {"WHAT": "KeyboardInterrupt", "WHERE": "import"}

    interrupted = unlost("run", "jobs:in_job", "in.jsonl")

    assert (interrupted.returncode, interrupted.stderr) == (4, "unlost run: interrupted\n")
