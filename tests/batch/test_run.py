"""``batch.Run``: the engine of the command line, inside a running loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from unlost import Failure, UsageError, Value
from unlost.batch import Again, Context, Halted, Locked, Run, read_in_doubt
from unlost.errors import attempts

pytestmark = pytest.mark.stock

Options = dict[str, Any]


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return {"folder": tmp_path / ".unlost", "durability": "process"}


def _source(folder: Path, count: int) -> Path:
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps({"n": n}) + "\n" for n in range(count)))
    return path


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # of other threads: there is no event to wait for  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def double(item: dict[str, int]) -> int:
    await asyncio.sleep(0)
    if item["n"] == 7:
        raise ValueError("seven")
    return 2 * item["n"]


async def endless(item: dict[str, int]) -> int:
    await asyncio.sleep(1000)
    return item["n"]


async def test_leaving_the_block_waits_until_everything_is_journaled(tmp_path: Path, options: Options) -> None:
    async with Run(double, _source(tmp_path, 50), **options) as run:
        pass

    assert (run.name, run.how) == ("double-1", "complete")
    assert (run.books.ok, run.books.failed, run.books.balance) == (49, 1, True)
    assert [(group.count, group.kind) for group in run.groups] == [(1, "permanent")]


async def test_iterating_gives_each_outcome_of_this_opening_once_with_the_original_error(
    tmp_path: Path, options: Options
) -> None:
    async with Run(double, _source(tmp_path, 50), **options) as run:
        outcomes = [outcome async for outcome in run]

    values = sorted(outcome.value for outcome in outcomes if isinstance(outcome, Value))
    errors = [outcome.error for outcome in outcomes if isinstance(outcome, Failure)]
    assert values == [2 * n for n in range(50) if n != 7]
    assert [(type(error), str(error)) for error in errors] == [(ValueError, "seven")]
    assert len({outcome.key for outcome in outcomes}) == 50


async def test_an_iterable_is_a_source_and_is_known_again(options: Options) -> None:
    started: list[int] = []

    async def work(item: int, context: Context) -> str:
        started.append(item)
        return context.key

    async with Run(work, [1, 2, 2], first=1, **options):
        pass
    async with Run(work, [1, 2, 2], **options) as run:
        outcomes = [outcome async for outcome in run]

    assert started == [1, 2, 2]
    assert run.name == "work-1"
    assert len({outcome.unwrap() for outcome in outcomes}) == 2


async def test_breaking_off_starts_nothing_more_and_the_same_lines_continue(tmp_path: Path, options: Options) -> None:
    source = _source(tmp_path, 100)
    async with Run(double, source, concurrency=1, **options) as run:
        async for _outcome in run:
            break
    first = run.books

    async with Run(double, source, **options) as again:
        pass

    assert run.how == "stopped"
    assert 0 < first.pending < 100
    assert first.in_doubt == 0
    assert (again.books.ok, again.books.failed, again.books.pending) == (99, 1, 0)


@pytest.mark.parametrize("moment", range(40))
async def test_stopping_at_any_moment_leaves_nothing_in_doubt(tmp_path: Path, options: Options, moment: int) -> None:
    async with Run(double, _source(tmp_path, 200), concurrency=3, **options) as run:
        for _ in range(moment):
            await asyncio.sleep(0 if moment % 2 else 0.0005)
        run.stop()

    books = run.books
    assert (books.in_doubt, books.ok + books.failed + books.pending) == (0, 200)
    assert books.balance


async def test_a_slow_consumer_holds_the_run_back(tmp_path: Path, options: Options) -> None:
    started = 0

    async def work(item: dict[str, int]) -> int:
        nonlocal started
        started += 1
        return item["n"]

    async with Run(work, _source(tmp_path, 500), concurrency=2, **options) as run:
        iterator = aiter(run)
        await anext(iterator)
        await asyncio.sleep(0.3)
        held = started
        rest = [outcome async for outcome in iterator]

    assert held < 100
    assert len(rest) == 499


async def test_an_error_in_the_block_cancels_what_runs_and_comes_out(tmp_path: Path, options: Options) -> None:
    with pytest.raises(LookupError, match="mine"):
        async with Run(endless, _source(tmp_path, 10), concurrency=3, **options) as run:
            await _until(lambda: run.progress.running == 3)
            raise LookupError("mine")

    assert run.how == "cancelled"
    assert (run.books.in_doubt, run.books.pending, run.books.balance) == (3, 7, True)


async def test_a_cancellation_comes_out_when_what_ran_has_ended(tmp_path: Path, options: Options) -> None:
    cleaned: list[int] = []

    async def work(item: dict[str, int]) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(item["n"])

    run = Run(work, _source(tmp_path, 10), concurrency=3, **options)

    async def main() -> None:
        async with run:
            pass

    task = asyncio.create_task(main())
    await _until(lambda: run.is_open and run.progress.running == 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert sorted(cleaned) == [0, 1, 2]
    assert (run.books.in_doubt, run.books.pending) == (3, 7)


async def test_in_doubt_is_held_and_started_again_when_asked(tmp_path: Path, options: Options) -> None:
    source = _source(tmp_path, 4)
    keys: list[str] = []
    calm = False

    async def work(item: dict[str, int], context: Context) -> int:
        keys.append(context.idempotency_key)
        await asyncio.sleep(0 if calm else 1000)
        return item["n"]

    with pytest.raises(RuntimeError):
        async with Run(work, source, concurrency=2, **options) as run:
            await _until(lambda: run.progress.running == 2)
            raise RuntimeError
    with run.plan.folder.open(run.name) as connection:
        assert connection is not None
        listed = [item.line for item in read_in_doubt(connection)]
    calm = True
    async with Run(work, source, **options) as run:
        pass
    held = run.books
    async with Run(work, source, in_doubt="retry", **options) as run:
        pass
    retried = run.books

    assert listed == [1, 2]
    assert (held.ok, held.in_doubt) == (2, 2)
    assert (retried.ok, retried.in_doubt) == (4, 0)
    assert len(keys) == 6
    assert len(set(keys)) == 4


async def test_one_run_has_one_writer(tmp_path: Path, options: Options) -> None:
    source = _source(tmp_path, 3)

    with pytest.raises(RuntimeError, match="enough"):
        async with Run(endless, source, **options):
            with pytest.raises(Locked, match="is being written by process"):
                async with Run(endless, source, **options):
                    pass
            raise RuntimeError("enough")


async def test_runs_of_other_functions_run_beside_it(tmp_path: Path, options: Options) -> None:
    source = _source(tmp_path, 30)

    async def triple(item: dict[str, int]) -> int:
        await asyncio.sleep(0.001)
        return 3 * item["n"]

    async with Run(double, source, **options) as one, Run(triple, source, **options) as other:
        pass

    assert (one.books.ok, other.books.ok) == (29, 30)


async def test_the_runs_attempts_are_on_the_error(tmp_path: Path, options: Options) -> None:
    async def refused(item: dict[str, int], context: Context) -> None:
        raise ConnectionError(f"attempt {context.attempt}")

    async with Run(refused, _source(tmp_path, 1), attempts=3, **options) as run:
        (outcome,) = [outcome async for outcome in run]

    assert isinstance(outcome, Failure)
    assert outcome.attempts == 3
    assert [str(error) for error in (*attempts(outcome.error), outcome.error)] == [
        "attempt 1",
        "attempt 2",
        "attempt 3",
    ]


async def test_a_deadline_over_all_attempts_ends_the_item_with_its_attempts(tmp_path: Path, options: Options) -> None:
    async def refused_then_slow(item: dict[str, int], context: Context) -> None:
        if context.attempt == 1:
            raise ConnectionError("first")
        await asyncio.sleep(1000)

    async with Run(refused_then_slow, _source(tmp_path, 1), attempts=9, deadline=0.5, **options) as run:
        (outcome,) = [outcome async for outcome in run]

    assert isinstance(outcome, Failure)
    assert type(outcome.error).__name__ == "DeadlineExceeded"
    assert outcome.error.name == "item deadline"  # type: ignore[attr-defined]  # checked by its name above
    assert [str(error) for error in attempts(outcome.error)] == ["first"]


async def test_a_target_that_hangs_while_it_is_opened_can_be_cancelled(tmp_path: Path, options: Options) -> None:
    closed: list[bool] = []

    @contextlib.asynccontextmanager
    async def client() -> AsyncIterator[Callable[[Any], Awaitable[Any]]]:
        try:
            await asyncio.sleep(1000)
            yield double
        finally:
            closed.append(True)

    run = Run(client, _source(tmp_path, 3), **options)
    task = asyncio.create_task(run.__aenter__())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert closed == [True]
    assert (run.books.pending, run.books.balance) == (3, True)


async def test_an_error_of_the_targets_own_setup_comes_out(tmp_path: Path, options: Options) -> None:
    @contextlib.asynccontextmanager
    async def client() -> AsyncIterator[Callable[[Any], Awaitable[Any]]]:
        raise ConnectionRefusedError("no client")
        yield double

    with pytest.raises(ConnectionRefusedError, match="no client"):
        async with Run(client, _source(tmp_path, 3), **options):
            pytest.fail("it was opened")


async def test_a_source_that_vanishes_is_refused_before_anything_is_started(tmp_path: Path, options: Options) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        async with Run(double, tmp_path / "nothing.jsonl", **options):
            pytest.fail("it was opened")


async def test_a_journal_that_cannot_be_written_halts_the_run(tmp_path: Path, options: Options) -> None:
    source = _source(tmp_path, 5000)

    async def work(item: dict[str, int]) -> int:
        await asyncio.sleep(0.001)
        if item["n"] == 100:
            # a second connection that drops a table: what a damaged file looks like to the writer
            import sqlite3

            with contextlib.closing(sqlite3.connect(run.path, timeout=30)) as vandal:
                vandal.execute("DROP TABLE outcome")
        return item["n"]

    run = Run(work, source, **options)
    with pytest.raises(Halted, match="no such table: outcome") as caught:
        async with run:
            pass

    assert caught.value.__cause__ is not None
    assert run.how == "halted"


async def test_dead_letters_run_again_from_a_program(tmp_path: Path, options: Options) -> None:
    source, broken = _source(tmp_path, 10), [True]

    async def halve(item: dict[str, int]) -> float:
        if item["n"] == 7 and broken:
            raise ValueError("seven")
        return item["n"] / 2

    async with Run(halve, source, **options):
        pass
    broken.clear()
    async with Run(halve, source, again=Again(), **options) as run:
        outcomes = [outcome.unwrap() async for outcome in run]

    assert outcomes == [3.5]
    assert (run.name, run.books.ok, run.books.failed) == ("halve-1", 10, 0)


async def test_there_must_be_a_run_to_run_again(tmp_path: Path, options: Options) -> None:
    with pytest.raises(UsageError, match=r"there is no run of .*double over this source that could be run again"):
        async with Run(double, _source(tmp_path, 10), again=Again(), **options):
            pass
