"""However a ``Run`` is left, it ends, and every error of it is raised, attached or reported."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from unlost import Failure, UsageError, cleanup, partial, walk
from unlost import job as unlost_job
from unlost.batch import Halted, Run, read_in_doubt
from unlost.batch.journal._pauses import read_why
from unlost.batch.source._source import Source
from unlost.report import View, run_as_text

pytestmark = pytest.mark.stock

Options = dict[str, Any]
Job = Callable[[Any], Awaitable[Any]]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return {"folder": tmp_path / ".unlost", "durability": "process"}


def _source(folder: Path, count: int) -> Path:
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps({"n": n}) + "\n" for n in range(count)))
    return path


async def quick(item: dict[str, int]) -> int:
    return item["n"]


async def endless(item: dict[str, int]) -> None:
    await asyncio.sleep(1000)


def closing(body: Callable[[], Awaitable[object]], job: Job = quick) -> Callable[[], Any]:
    """A target that does this when it is closed."""

    @contextlib.asynccontextmanager
    async def target() -> AsyncIterator[Job]:
        try:
            yield job
        finally:
            await body()

    return target


async def _fail() -> None:
    raise RuntimeError("close failed")


async def _hang() -> None:
    await asyncio.sleep(1000)


@pytest.mark.parametrize("leaving", ["break", "error", "cancellation"])
async def test_leaving_ends_while_more_is_ready_than_anybody_takes(
    tmp_path: Path, options: Options, leaving: str
) -> None:
    run = Run(quick, _source(tmp_path, 100), concurrency=1, **options)

    async def leave() -> None:
        async with run:
            async for _outcome in run:
                await asyncio.sleep(0.2)  # so much longer than a job that the run is held back
                if leaving == "error":
                    raise LookupError
                if leaving == "cancellation":
                    raise asyncio.CancelledError
                break

    expected = {"break": (), "error": (LookupError,), "cancellation": (asyncio.CancelledError,)}[leaving]
    with contextlib.suppress(*expected):
        await asyncio.wait_for(leave(), 20)

    assert run.books.balance
    assert run.books.pending > 0


async def test_a_cancellation_ends_the_closing_of_a_target_that_hangs(tmp_path: Path, options: Options) -> None:
    run = Run(closing(_hang), _source(tmp_path, 3), **options)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            async with run:
                pass

    assert run.books.ok == 3


def test_a_loop_that_shuts_down_as_a_run_begins_is_not_held_up(tmp_path: Path, options: Options) -> None:
    run = Run(quick, _source(tmp_path, 3), **options)

    async def main() -> None:
        entering = asyncio.ensure_future(run.__aenter__())
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task(), entering}:
            task.cancel()
        with pytest.raises(Halted, match="cancelled from elsewhere"):
            await entering

    asyncio.run(main())

    assert run.books.balance


@pytest.mark.parametrize("where", ["in the block", "at its end", "while it is opened"])
async def test_a_cancellation_comes_out_and_the_error_of_the_target_is_reported(
    tmp_path: Path, options: Options, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    @contextlib.asynccontextmanager
    async def opening() -> AsyncIterator[Job]:
        try:
            await asyncio.sleep(1000)
            yield quick
        finally:
            await _fail()

    target = opening if where == "while it is opened" else closing(_fail, endless)

    async def main() -> None:
        async with Run(target, _source(tmp_path, 1), **options):
            if where == "in the block":
                await asyncio.sleep(1000)

    task = asyncio.create_task(main())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert "close failed" in capsys.readouterr().err


async def test_an_exit_of_the_block_comes_out_as_it_is(
    tmp_path: Path, options: Options, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with Run(closing(_fail), _source(tmp_path, 1), **options):
            raise LookupError("mine")

    assert "close failed" in capsys.readouterr().err


async def test_what_could_not_be_journaled_is_with_the_error_and_so_is_everything_else(
    tmp_path: Path, options: Options
) -> None:
    async def work(item: dict[str, int]) -> int:
        if item["n"] == 3:
            with contextlib.closing(sqlite3.connect(run.path, timeout=30)) as vandal:
                vandal.execute("DROP TABLE outcome")
        await asyncio.sleep(0.2)
        raise LookupError(f"item {item['n']}")

    run = Run(closing(_fail, work), _source(tmp_path, 4), **options)
    with pytest.raises(Halted) as caught:
        async with run:
            pass

    lost = partial(caught.value)
    assert lost is not None
    assert sorted(str(outcome.error) for outcome in lost.failures) == [f"item {n}" for n in range(4)]
    reachable = {str(error) for error in walk(caught.value)}
    assert "close failed" in reachable
    assert "no such table: outcome" in reachable


async def test_a_source_that_fails_on_the_way_halts_the_run_and_the_books_balance(
    tmp_path: Path, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Source.records

    def failing(self: Source) -> Any:
        for number, record in enumerate(read(self)):
            if number == 700:
                raise OSError(5, "the disk is gone")
            yield record

    monkeypatch.setattr(Source, "records", failing)
    run = Run(quick, _source(tmp_path, 1000), **options)

    with pytest.raises(Halted, match="the disk is gone"):
        async with run:
            pass

    assert run.books.balance
    assert not run.books.whole


async def test_what_a_cancelled_item_had_failed_with_is_kept_with_its_doubt(tmp_path: Path, options: Options) -> None:
    tries, third = 0, asyncio.Event()

    async def refused(item: dict[str, int]) -> None:
        nonlocal tries
        tries += 1
        if tries > 2:
            third.set()
            await asyncio.sleep(1000)
        raise ConnectionError(f"refused {tries}")

    with pytest.raises(LookupError):
        async with Run(refused, _source(tmp_path, 1), attempts=5, **options) as run:
            await third.wait()
            raise LookupError

    with run.plan.folder.open(run.name) as connection:
        assert connection is not None
        (item,) = read_in_doubt(connection)
    assert [one["title"] for one in item.survived] == ["ConnectionError refused <…>"] * 2
    assert "after 2 attempts that failed" in "".join(run_as_text(View(run.name, run.path, run.books, [], [item])))


async def _cleanup_fails(item: dict[str, int]) -> None:
    async def close() -> None:
        raise OSError(f"upload of {item['n']} could not be finished")

    try:
        await asyncio.sleep(1000)
    finally:
        await cleanup(close)


async def test_what_cleanup_raised_while_the_run_was_cancelled_is_the_outcome(tmp_path: Path, options: Options) -> None:
    async with Run(_cleanup_fails, _source(tmp_path, 3), **options) as run:
        while run.progress.running < 3:  # noqa: ASYNC110  # of another task: there is no event to wait for
            await asyncio.sleep(0.001)
        run.cancel()

    assert (run.books.failed, run.books.in_doubt, run.progress.running) == (3, 0, 0)


async def test_what_cleanup_raised_in_a_job_that_cancels_itself_is_the_outcome(
    tmp_path: Path, options: Options
) -> None:
    async def job(item: dict[str, int]) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await _cleanup_fails(item)

    async with Run(job, _source(tmp_path, 3), **options) as run:
        outcomes = [outcome async for outcome in run]

    assert sorted(str(outcome.error) for outcome in outcomes if isinstance(outcome, Failure)) == [
        f"upload of {n} could not be finished" for n in range(3)
    ]
    assert (run.books.failed, run.books.in_doubt, run.progress.running) == (3, 0, 0)


async def test_one_exception_object_of_all_items_is_the_outcome_of_each(tmp_path: Path, options: Options) -> None:
    shared = GeneratorExit()

    async def job(item: dict[str, int]) -> None:
        raise shared

    async with Run(job, _source(tmp_path, 10), keep_going=True, **options) as run:
        pass

    assert (run.books.failed, run.books.in_doubt, run.progress.running) == (10, 0, 0)


async def test_a_target_that_replaces_the_cancellation_loses_no_outcome(tmp_path: Path, options: Options) -> None:
    started = asyncio.Event()

    async def job(item: dict[str, int]) -> int:
        started.set()
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            return item["n"]  # what it had begun is finished
        raise AssertionError

    async def background() -> None:
        await started.wait()
        raise LookupError("of the target's background task")

    @contextlib.asynccontextmanager
    async def target() -> AsyncIterator[Job]:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(background())
            yield job

    run = Run(target, _source(tmp_path, 5), concurrency=2, **options)
    with pytest.raises(ExceptionGroup):
        async with run:
            pass

    assert run.books.ok >= 1
    assert (run.books.in_doubt, run.progress.running) == (0, 0)
    assert "of the target's background task" in (_why(run) or "")


@pytest.mark.parametrize("key_text", ["k", ""])
async def test_a_limit_key_that_cannot_be_spelled_halts_the_run_with_its_reason_all_the_same(
    tmp_path: Path, options: Options, key_text: str
) -> None:
    class Key:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

        def __str__(self) -> str:
            return key_text or repr(self)

    class Refused(Exception):
        status_code = 429
        headers: ClassVar = {"Retry-After": "99999"}

    key = Key()

    @unlost_job(limit_key=lambda _item: key)
    async def job(item: dict[str, int]) -> None:
        raise Refused

    run = Run(job, _source(tmp_path, 1), **options)
    with pytest.raises(Halted, match=r"asks to wait .* for <Key>"):
        async with run:
            pass

    assert "for <Key>" in (_why(run) or "")


async def test_a_reason_that_cannot_be_said_ends_the_run_all_the_same(tmp_path: Path, options: Options) -> None:
    class Key:
        def __repr__(self) -> str:
            raise SystemExit(7)

    class Refused(Exception):
        status_code = 429
        headers: ClassVar = {"Retry-After": "99999"}

    key = Key()

    @unlost_job(limit_key=lambda _item: key)
    async def job(item: dict[str, int]) -> None:
        raise Refused

    run = Run(job, _source(tmp_path, 3), **options)
    with pytest.raises(Halted, match="was halted: RuntimeError HoldTooLong, which raised SystemExit"):
        async with run:
            pass

    assert "HoldTooLong, which raised SystemExit(7)" in (_why(run) or "")
    assert (run.how, run.books.pending, run.books.balance) == ("halted", 3, True)


def _why(run: Run) -> str | None:
    with run.plan.folder.open(run.name) as connection:
        assert connection is not None
        return read_why(connection)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are eager tasks from 3.12 on; CI runs this there")
def test_eager_tasks_mix_up_no_items(tmp_path: Path, options: Options) -> None:
    async def cancels_itself(item: dict[str, int]) -> int:
        if item["n"] % 2:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(1)
        return item["n"]

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        out = tmp_path / "results.jsonl"
        async with Run(cancels_itself, _source(tmp_path, 40), out=out, concurrency=7, **options) as run:
            pass
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        assert (run.books.ok, run.books.failed, run.books.balance) == (20, 20, True)
        assert {line["line"] - 1: line["value"] for line in lines} == {n: n for n in range(0, 40, 2)}

    asyncio.run(main())


async def test_who_stops_taking_outcomes_can_wait_for_the_end(options: Options) -> None:
    async with Run(quick, [{"n": n} for n in range(100)], concurrency=2, **options) as run:
        async for _outcome in run:
            break
        async with asyncio.timeout(5):
            await run.finished()

    assert (run.how, run.books.ok) == ("complete", 100)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("bad", ["source", "out"])
async def test_a_file_whose_name_no_journal_can_hold_is_refused(tmp_path: Path, options: Options, bad: str) -> None:
    source, out = _source(tmp_path, 1), tmp_path / "out.jsonl"
    if bad == "source":
        source = source.rename(tmp_path / os.fsdecode(b"in\xff.jsonl"))
    else:
        out = tmp_path / os.fsdecode(b"out\xff.jsonl")

    with pytest.raises(UsageError, match=r"udcff.jsonl' is not UTF-8, and the journal holds it.\nRename it"):
        async with Run(quick, source, out=out, **options):
            pass

    assert not list(options["folder"].glob("*.db"))
