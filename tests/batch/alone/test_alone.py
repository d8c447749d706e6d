"""Items in a process of their own, with real processes: each test starts one, or a few."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from unlost import Failure, Value, report_to
from unlost.batch._context import Context
from unlost.batch._perform import Performer
from unlost.batch._plan import Where, plan_run
from unlost.batch.alone import _alone
from unlost.batch.alone._alone import Alone
from unlost.batch.alone._lost import AloneFailed, CannotRunAlone, WorkerLost
from unlost.batch.alone._process import Gone
from unlost.batch.gate._visit import GIVEN_BACK, Visit
from unlost.batch.journal._journal import Claimed, Ended
from unlost.batch.journal._kept import Keep
from unlost.batch.journal._spend import Spend
from unlost.batch.journal._writer import JournalError
from unlost.batch.target._target import load_target
from unlost.errors import attempts

pytestmark = [
    pytest.mark.stock,
    pytest.mark.skipif(sys.platform != "linux", reason="the jobs here look at /proc, and end by signals"),
]

_numbers = itertools.count()


class Paper:
    """Takes down what jobs say."""

    def __init__(self) -> None:
        self.spent: list[Spend] = []
        self.kept: list[Keep] = []
        self.refusal: JournalError | None = None

    def spend(self, spent: Spend) -> None:
        self.spent.append(spent)

    async def keep(self, kept: Keep) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.kept.append(kept)


class Rig:
    """A run of one item, without a journal."""

    def __init__(self, folder: Path, code: str, target: str, **options: Any) -> None:
        self.folder = folder
        self.module = f"alone_jobs_{next(_numbers)}"
        (folder / f"{self.module}.py").write_text(_PRELUDE + code)
        source = folder / "in.jsonl"
        source.write_text('{"n": 1}\n')
        found = load_target(f"{self.module}:{target}", folder)
        flags = {"grace": 0.0, **options}
        self.plan = plan_run(found, str(source), flags, Where(folder / ".unlost"), spelling="argument")
        self.plan.choice.release()
        self.paper = Paper()
        self.doubts: list[tuple[int, str]] = []
        self.reports: list[tuple[BaseException, str]] = []

    def alone(self) -> Alone:
        return Alone(self.plan, 5, self.paper, lambda item, told: self.doubts.append((item, told)))

    async def __call__(self, claimed: Claimed | None = None) -> tuple[Ended | None, Any]:
        with report_to(lambda error, what: self.reports.append((error, what))):
            return await self.alone()(claimed or CLAIMED, Visit(None))

    def log(self) -> list[str]:
        path = self.folder / "log.txt"
        return path.read_text().splitlines() if path.exists() else []

    async def logged(self, word: str) -> str:
        """Wait for a line of the job's log that begins with a word; return the rest of it."""
        while True:
            for line in self.log():
                if line.startswith(f"{word} "):
                    return line.removeprefix(f"{word} ")
            await asyncio.sleep(0.01)


CLAIMED = Claimed(1, "k1", 1, b'{"n": 1}', generation=1, doubts=2)

_PRELUDE = """
import asyncio, contextlib, ctypes, os, re, signal, sys, time

def log(*words):
    with open(__file__.rpartition("/")[0] + "/log.txt", "a") as file:
        print(*words, file=file)
"""


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Rig]]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    rigs: list[Rig] = []

    def make(code: str, target: str = "job", **options: Any) -> Rig:
        rigs.append(Rig(tmp_path, code, target, **options))
        return rigs[-1]

    yield make
    for made in rigs:
        sys.modules.pop(made.module)


def _is_alive(pid: int) -> bool:
    """Tell whether there is such a process, a zombie included."""
    return Path(f"/proc/{pid}").exists()


def _runs(pid: int) -> bool:
    """Tell whether a process runs; an orphan that nobody reaps does not."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "(zombie)" not in status.read_text()


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # of other processes: there is no event to wait for  # noqa: ASYNC110
        await asyncio.sleep(0.01)


MIXED = """
async def job(item, ctx):
    if ctx.attempt < 3:
        raise ConnectionError(f"attempt {ctx.attempt}")
    if item["n"] == 1:
        return {"n": [1, None, "\\u00e9"]}
    raise KeyError("price")
"""


@pytest.mark.parametrize("n", [1, 2])
async def test_the_outcome_is_stored_as_the_run_itself_would_store_it(rig: Callable[..., Rig], n: int) -> None:
    made = rig(MIXED, attempts=3)
    claimed = Claimed(4, "k", 9, json.dumps({"n": n}).encode(), 2, 2)
    job = made.plan.target.func

    ended, live = await made(claimed)
    here, _ = await _performed_here(made, job, claimed)

    assert ended is not None
    assert _comparable(ended) == _comparable(here)
    assert (live.key, live.attempts) == ("k", 3)
    if n == 1:
        assert isinstance(live, Value)
        assert live.value == {"n": [1, None, "\u00e9"]}
        assert [type(error) for error in live.survived] == [AloneFailed, AloneFailed]
        assert [str(error) for error in live.survived] == [one["title"] for one in json.loads(ended.survived or "")]
    else:
        assert isinstance(live, Failure)
        assert type(live.error) is AloneFailed
        assert str(live.error) == "KeyError 'price'"
        assert live.error.record is not None
        assert live.error.record == json.loads(ended.error or "")


async def _performed_here(rig: Rig, job: Any, claimed: Claimed) -> tuple[Ended | None, Any]:
    class Open:
        def call(self, visit: Visit, call: Callable[..., Awaitable[Any]], item: Any, context: Context) -> Any:
            return call(item, context)

    context = Context(rig.plan.meta["run_id"], claimed.key, claimed.line, claimed.generation)
    reader = rig.plan.source.reader()
    performer = Performer(job, rig.plan.policy, lambda _claimed: context, reader, rig.plan.own, Open())  # type: ignore[arg-type]  # all of a gate that it asks
    return await performer(claimed, Visit(None))


def _comparable(ended: Ended | None) -> dict[str, Any]:
    assert ended is not None
    names = ("item", "key", "line", "ok", "attempts", "value", "survived", "kind", "fingerprint", "generation")
    return {name: getattr(ended, name) for name in names}


DEATHS = {
    "exit": ("os._exit(3)", "exited with code 3", (3, None)),
    "segfault": ("ctypes.string_at(0)", "ended by SIGSEGV", (None, "SIGSEGV")),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL", (None, "SIGKILL")),
}


@pytest.mark.parametrize("death", DEATHS)
async def test_a_death_is_the_outcome_with_the_last_words_and_without_a_zombie(
    rig: Callable[..., Rig], capfd: pytest.CaptureFixture[str], death: str
) -> None:
    statement, words, attributes = DEATHS[death]
    made = rig(f"""
async def job(item, ctx):
    if ctx.attempt == 1:
        raise ConnectionError("first")
    print("last words of", os.getpid())
    {statement}
""", attempts=5)  # fmt: skip

    ended, live = await made()

    assert ended is not None
    assert isinstance(live.error, WorkerLost)
    assert words in str(live.error)
    assert (live.error.exitcode, live.error.signal) == attributes
    assert (ended.ok, ended.kind, ended.attempts) == (False, "permanent", 2)
    assert [str(error) for error in attempts(live.error)] == ["ConnectionError first"]
    assert "last words of" in live.error.stderr
    assert ("in job" in live.error.stderr) == (death == "segfault")  # the interpreter's own traceback
    printed = capfd.readouterr()
    assert "last words of" in printed.err
    assert printed.out == ""
    (pid,) = re.findall(r"last words of (\d+)", printed.err)
    assert not _is_alive(int(pid))


HANGS = r"""
async def job(item):
    re.match(r"(a+)+$", "a" * 60 + "b")  # holds the interpreter's lock for years
"""


async def test_what_no_timeout_can_cut_is_killed_after_its_limit(rig: Callable[..., Rig]) -> None:
    made = rig(HANGS, timeout=0.1)

    ended, live = await made()

    assert isinstance(live.error, WorkerLost)
    assert "was killed: it did not end by itself (timeout 100ms, and 1s of grace)" in str(live.error)
    assert ended is not None
    assert ended.ms >= 1100


async def test_an_ordinary_timeout_is_the_jobs_own_failure(rig: Callable[..., Rig]) -> None:
    made = rig("async def job(item): await asyncio.sleep(60)", timeout=0.05)

    _ended, live = await made()

    assert str(live.error).startswith("DeadlineExceeded attempt timeout of 0.05 s exceeded")


async def test_what_it_spends_and_keeps_is_taken_down_before_it_dies(rig: Callable[..., Rig]) -> None:
    made = rig("""
async def job(item, ctx):
    assert ctx.kept["before"] == b"\\xff"
    ctx.spend(usd="0.25", input_tokens=7, id="r1")
    await asyncio.to_thread(ctx.spend, usd=1)
    await ctx.keep("text", {"a": 1})
    assert await ctx.once("before", asyncio.sleep, 9) == b"\\xff"
    await ctx.keep("raw", b"\\xfe")
    os._exit(1)
""")
    claimed = Claimed(4, "k", 9, b"{}", 3, 2, {"before": b"\xff"})

    _ended, live = await made(claimed)

    assert isinstance(live.error, WorkerLost)
    assert live.error.stderr == ""
    assert made.paper.spent == [
        Spend(4, 3, 5, 1, 250_000_000, 7, 0, "r1"),
        Spend(4, 3, 5, 1, 1_000_000_000, 0, 0, None),
    ]
    assert made.paper.kept == [Keep(4, "text", 3, 5, 1, '{"a": 1}'), Keep(4, "raw", 3, 5, 1, b"\xfe")]


async def test_what_a_thread_with_a_loop_of_its_own_keeps_is_durable_there(rig: Callable[..., Rig]) -> None:
    made = rig("""
async def job(item, context):
    await asyncio.gather(
        asyncio.to_thread(asyncio.run, context.keep("thread", 1)),
        context.keep("loop", 2),
    )
    return sorted(context.kept)
""")

    _ended, live = await made()

    assert live.value == ["loop", "thread"]
    assert sorted(keep.name for keep in made.paper.kept) == ["loop", "thread"]


async def test_what_cannot_be_kept_is_raised_where_the_job_keeps_it(rig: Callable[..., Rig]) -> None:
    made = rig("async def job(item, ctx): await ctx.keep('a', 1)")
    made.paper.refusal = JournalError("the disk is full")

    _ended, live = await made()

    assert str(live.error) == "JournalError the disk is full"


async def test_a_cancelled_item_is_cancelled_there_and_is_in_doubt(rig: Callable[..., Rig]) -> None:
    made = rig(
        """
async def job(item, ctx):
    if ctx.attempt == 1:
        raise ConnectionError("first")
    try:
        log("runs", os.getpid())
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.01)
        log("cleaned up")
""",
        attempts=2,
        grace=30,
    )
    task = asyncio.create_task(made())
    pid = int(await made.logged("runs"))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert made.log()[1:] == ["cleaned up"]
    assert not _is_alive(pid)
    ((item, told),) = made.doubts
    assert item == 1
    assert [one["title"] for one in json.loads(told)] == ["ConnectionError first"]


STUBBORN = """
async def job(item):
    child = os.fork()
    if child:
        log("runs", os.getpid())
        log("child", child)
    time.sleep(60)
"""


@pytest.mark.parametrize("again", [False, True], ids=["after the grace", "cancelled twice"])
async def test_what_does_not_end_is_killed_with_all_that_it_started(rig: Callable[..., Rig], again: bool) -> None:
    made = rig(STUBBORN, grace=30 if again else 0.05)
    task = asyncio.create_task(made())
    pid, child = int(await made.logged("runs")), int(await made.logged("child"))

    task.cancel()
    if again:
        await asyncio.sleep(0.05)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not _is_alive(pid)
    await _until(lambda: not _runs(child))


async def test_an_outcome_that_came_in_spite_of_the_cancellation_counts(rig: Callable[..., Rig]) -> None:
    made = rig("""
async def job(item):
    log("runs", 1)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return "paid"
""", grace=30)  # fmt: skip
    task = asyncio.create_task(made())
    await made.logged("runs")

    task.cancel()
    ended, _live = await task

    assert ended is not None
    assert ended.value == '"paid"'


async def test_a_context_manager_is_entered_and_left_there(rig: Callable[..., Rig]) -> None:
    made = rig(
        """
@contextlib.asynccontextmanager
async def client():
    log("enter")
    async def job(item):
        return item["n"]
    yield job
    log("leave")
    raise OSError("left badly")
""",
        "client",
    )

    ended, live = await made()

    assert ended is not None
    assert live.value == 1
    assert made.log() == ["enter", "leave"]
    ((error, what),) = made.reports
    assert str(error) == "OSError left badly"
    assert "failed outside of its item, in the process that ran line 1 alone" in what


async def test_a_death_after_the_outcome_does_not_change_it_and_is_reported(rig: Callable[..., Rig]) -> None:
    made = rig("""
import atexit
atexit.register(os._exit, 7)
async def job(item):
    return 1
""")  # fmt: skip

    ended, _live = await made()

    atexit_of_this_process = sys.modules[made.module].atexit
    atexit_of_this_process.unregister(os._exit)
    assert ended is not None
    assert ended.ok
    ((error, _what),) = made.reports
    assert "exited with code 7" in str(error)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("async def job(item): return 1\nif sys.argv[0] == 'child': sys.exit('no')", "raised when it was imported"),
        ("async def job(item): return 1\nif sys.argv[0] == 'child': os._exit(2)", "it had not begun, and run alone"),
        ("async def job(item): return 1", "has changed since the run began"),
    ],
    ids=["raises", "dies", "changed"],
)
async def test_what_cannot_be_opened_there_is_not_started_and_that_is_said(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, code: str, why: str
) -> None:
    made = rig(code)
    monkeypatch.setattr(sys, "argv", ["child"])
    if "changed" in why:
        with (made.folder / f"{made.module}.py").open("a") as file:
            file.write("# edited")

    ended, live = await made()

    assert ended is None
    assert live.value is GIVEN_BACK
    ((error, what),) = made.reports
    assert type(error) is CannotRunAlone
    assert why in str(error)
    assert "line 1 of run job-1 was started 2 times" in what


async def test_what_no_process_can_find_is_said_once_and_starts_none(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = rig("async def job(item): return 1")
    sys.modules[made.module].job = None  # type: ignore[attr-defined]  # a module of the test's own
    monkeypatch.setattr(_alone, "Course", None)

    with report_to(lambda error, what: made.reports.append((error, what))):
        alone = made.alone()
        outcomes = [await alone(CLAIMED, Visit(None)) for _ in range(3)]

    assert [ended for ended, _live in outcomes] == [None] * 3
    ((error, _what),) = made.reports
    assert "is not the object that the run was given" in str(error)


async def test_where_no_process_can_be_started_the_item_is_not(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = rig("async def job(item): return 1")

    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    missing, _live = await made()
    monkeypatch.setattr(sys, "path", [*sys.path, "a\0b"])
    unspeakable, _live = await made()

    assert (missing, unspeakable) == (None, None)
    messages = [str(error) for error, _what in made.reports]
    assert "no process could be started: [Errno 2]" in messages[0]
    assert "no process could be started: embedded null byte" in messages[1]


async def test_it_has_the_folder_the_path_and_the_environment_and_no_open_file_of_the_run(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = rig("""
def target(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except FileNotFoundError:  # of the listing itself
        return ""

async def job(item):
    files = [target(fd) for fd in os.listdir("/proc/self/fd")]
    return {
        "files": [file for file in files if file.startswith("/") and not file.startswith("/dev/null")],
        "place": [os.getcwd(), sys.path, os.environ["MARK"], sys.argv],
        "oom": open("/proc/self/oom_score_adj").read().strip(),
        "stdin": sys.stdin.read(),
        "has its own group": os.getpgrp() == os.getpid(),  # Ctrl-C is for the run alone
    }
""")  # fmt: skip
    monkeypatch.setenv("MARK", "here")

    with (made.folder / "in.jsonl").open() as kept_open:
        os.set_inheritable(kept_open.fileno(), True)
        _ended, live = await made()

    assert live.value == {
        "files": [],
        "place": [os.getcwd(), sys.path, "here", sys.argv],
        "oom": "1000",
        "stdin": "",
        "has its own group": True,
    }


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_it_works_on_a_loop_of_another_thread(rig: Callable[..., Rig], new_loop: Any) -> None:
    made = rig("async def job(item): return 'there'")
    values: list[object] = []

    def run() -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            values.append(runner.run(made())[1].value)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert values == ["there"]


async def test_few_run_at_once(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[int] = [0]

    class Course:
        gone, ended, unfit = Gone(0, ""), None, ("not here", False)
        was_cancelled = False

        def __init__(self, *_parts: object) -> None:
            """Take what a course takes."""

        async def follow(self) -> None:
            running.append(running[-1] + 1)
            await asyncio.sleep(0.001)
            running.append(running[-1] - 1)

    monkeypatch.setattr(_alone, "Course", Course)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    made = rig("async def job(item): return 1")

    with report_to(lambda error, what: made.reports.append((error, what))):
        alone = made.alone()
        await asyncio.gather(*(alone(CLAIMED, Visit(None)) for _ in range(8)))

    assert len(running) == 17
    assert max(running) == 3


async def test_what_waits_for_its_process_when_the_run_stops_is_given_back_as_not_started(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_alone, "_PROCESSES", 1)
    made = rig("""
async def job(item):
    log("runs", os.getpid())
    await asyncio.sleep(0.2)
    return 1
""")  # fmt: skip
    is_stopped = False
    alone = Alone(made.plan, 5, made.paper, lambda _item, _told: None, lambda: is_stopped)
    visits = [Visit(None), Visit(None)]
    tasks = [asyncio.create_task(alone(CLAIMED, visit)) for visit in visits]
    await made.logged("runs")
    undone = [visit.is_undone for visit in visits]

    is_stopped = True
    (first, _value), (second, given_back) = await asyncio.gather(*tasks)

    assert undone == [False, True]
    assert (first is not None and first.ok, second) == (True, None)
    assert isinstance(given_back, Value)
    assert given_back.value is GIVEN_BACK


async def test_it_dies_with_the_run_even_where_it_holds_the_interpreter(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    (tmp_path / "jobs.py").write_text(_PRELUDE + HANGS.replace("re.match", "log('runs', os.getpid()); re.match"))
    (tmp_path / "program.py").write_text(_PROGRAM)
    parent = await asyncio.create_subprocess_exec(sys.executable, "program.py", cwd=tmp_path)
    await _until(lambda: log.exists() and log.read_text().endswith("\n"))
    pid = int(log.read_text().split()[1])
    assert _runs(pid)

    parent.kill()
    await parent.wait()

    await _until(lambda: not _runs(pid))


_PROGRAM = """
import asyncio
from unlost.batch._plan import Where, plan_run
from unlost.batch.alone._alone import Alone
from unlost.batch.gate._visit import Visit
from unlost.batch.journal._journal import Claimed
from unlost.batch.target._target import load_target

async def main():
    plan = plan_run(load_target("jobs:job"), [{"n": 1}], {}, Where())
    await Alone(plan, 1, None, None)(Claimed(1, "k", 1, b"{}", doubts=2), Visit(None))

asyncio.run(main())
"""


async def test_a_signal_to_the_run_and_its_processes_leaves_the_item_in_doubt(rig: Callable[..., Rig]) -> None:
    made = rig("""
async def job(item, context):
    if context.attempt == 1:
        raise ConnectionError("first")
    log("runs", os.getpid())
    await asyncio.sleep(60)
""", attempts=2)  # fmt: skip
    visit, stopped = Visit(None), False
    alone = Alone(made.plan, 5, made.paper, lambda item, told: made.doubts.append((item, told)), lambda: stopped)
    task = asyncio.create_task(alone(CLAIMED, visit))
    pid = int(await made.logged("runs"))

    os.kill(pid, signal.SIGTERM)
    await _until(lambda: not _is_alive(pid))
    stopped = True  # the run hears of it later than its process
    ended, live = await task

    assert ended is None
    assert live.value is GIVEN_BACK
    assert visit.is_unknown
    assert ["ConnectionError first" in told for _item, told in made.doubts] == [True]


async def test_a_signal_from_elsewhere_is_a_death_like_another(rig: Callable[..., Rig]) -> None:
    made = rig("""
async def job(item):
    log("runs", os.getpid())
    await asyncio.sleep(60)
""")  # fmt: skip
    task = asyncio.create_task(made())
    pid = int(await made.logged("runs"))

    os.kill(pid, signal.SIGTERM)
    _ended, live = await task

    assert isinstance(live.error, WorkerLost)
    assert live.error.signal == "SIGTERM"
