"""What a type checker sees of cleanup, finalizers and receipts: checked by mypy and pyright, never run."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import StringIO
from typing import assert_type

from unlost import Failure, Finalizers, Outcome, Receipt, Survived, cleanup, forgive, forgiven, receipt, to_thread


async def length(text: str) -> int:
    return len(text)


@asynccontextmanager
async def session() -> AsyncIterator[str]:
    yield ""


@contextmanager
def folder() -> Iterator[int]:
    yield 1


async def what_runs_elsewhere_keeps_its_type() -> None:
    assert_type(await cleanup(length, "a", timeout=1.5, name="length"), int)
    assert_type(await to_thread(len, "a"), int)
    assert_type(await to_thread(int, "10", base=2), int)
    await cleanup(len, "a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # len cannot be awaited
    await to_thread(len, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # 1 has no length


async def entering_gives_what_the_manager_gives() -> int:
    async with Finalizers(timeout=None) as finalizers:
        assert_type(finalizers, Finalizers)
        assert_type(await finalizers.enter(session()), str)
        assert_type(await finalizers.enter(folder(), shield=True), int)
        assert_type(await finalizers.enter(asyncio.timeout(1)), asyncio.Timeout)
        assert_type(await finalizers.enter(StringIO()), StringIO)
        finalizers.push(print, "a")
        finalizers.push(length, "a")
        await finalizers.enter(3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # no manager
    return 0  # a manager inside may suppress what leaves the block


def a_receipt_has_what_was_survived() -> None:
    with receipt() as survived:
        assert_type(survived, Receipt)
    assert_type(survived.entries, list[Survived])
    assert_type(survived.errors, tuple[BaseException, ...])
    assert_type(survived.entries[0].values, tuple[object, ...])


def forgiving_needs_a_reason(outcome: Outcome[int]) -> None:
    forgive(outcome, "it is optional")
    if isinstance(outcome, Failure):
        forgive(outcome)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # no reason
    assert_type(forgiven(), dict[str, int])
