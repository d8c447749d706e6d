"""What a type checker sees of the core: checked by mypy and pyright, never run."""

import asyncio
from collections.abc import AsyncIterator
from typing import assert_never, assert_type

from unlost._core import Cancelled, Failure, Outcome, Outcomes, Value, map, partial, settle, stream  # noqa: A004


async def length(text: str) -> int:
    return len(text)


async def name() -> str:
    return ""


async def texts() -> AsyncIterator[str]:
    yield ""


async def map_keeps_the_type() -> None:
    outcomes = await map(length, ["a"], limit=1)
    assert_type(outcomes, Outcomes[int])
    assert_type(outcomes.values(), list[int])
    assert_type(outcomes[0], Value[int] | Failure | Cancelled)
    assert_type(await map(length, texts(), limit=1, isolate="task"), Outcomes[int])
    await map(length, [1], limit=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # length takes no int
    await map(len, ["a"], limit=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # len cannot be awaited
    await map(length, ["a"], limit=1, isolate="process")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # no such way


async def stream_keeps_the_type() -> None:
    async with stream(length, texts(), limit=1, ordered=True) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Value[int] | Failure | Cancelled)


async def settle_keeps_the_types() -> None:
    assert_type(await settle(length("a")), Outcomes[int])
    assert_type(await settle(length("a"), name), Outcomes[int | str])
    assert_type(await settle(length("a"), name(), asyncio.sleep(1, 1.5)), Outcomes[int | str | float])
    assert_type(await settle(*[length("a")]), Outcomes[int])


def match_is_exhaustive(outcome: Outcome[int]) -> int:
    match outcome:
        case Value(value):
            return assert_type(value, int)
        case Failure(error):
            raise error
        case Cancelled(error):
            assert_type(error, asyncio.CancelledError)
            return 0
        case _:
            assert_never(outcome)


def partial_may_find_nothing(error: BaseException) -> None:
    found = partial(error)
    if found is not None:
        found.values()
