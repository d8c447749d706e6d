"""What a type checker sees of limits of time, of retries and of jobs: checked by mypy and pyright, never run."""

import asyncio
from typing import assert_type

import unlost
from unlost import (
    Cancelled,
    Deadline,
    Failure,
    Kind,
    Retry,
    Value,
    deadline,
    deadline_at,
    job,
    retry,
    timeout,
    timeout_at,
)


async def length(text: str, *, half: bool = False) -> int:
    return len(text) // 2 if half else len(text)


async def a_limit_swallows_nothing() -> int:
    async with timeout(1) as limit:
        assert_type(limit, Deadline)
        assert_type(limit.expired(), bool)
        assert_type(limit.when(), float | None)
        return 1


async def each_call_makes_the_same_limit() -> None:
    assert_type(timeout(None, "none"), Deadline)
    assert_type(timeout_at(1.5), Deadline)
    assert_type(deadline(1), Deadline)
    assert_type(deadline_at(None), Deadline)
    timeout("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # no number


@retry
async def tried_three_times(text: str, *, half: bool = False) -> int:
    return await length(text, half=half)


@retry(attempts=5, on=(Kind.TRANSIENT, OSError))
async def tried_five_times(text: str) -> int:
    return await length(text)


@Retry(total=60, on=lambda error: isinstance(error, OSError))
async def tried_for_a_minute(text: str) -> int:
    return await length(text)


async def a_retried_function_keeps_its_type() -> None:
    assert_type(await tried_three_times("a", half=True), int)
    assert_type(asyncio.create_task(tried_five_times("a")), asyncio.Task[int])
    assert_type(await tried_for_a_minute("a"), int)
    await tried_three_times(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it takes a text
    await tried_five_times()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # it needs one
    retry(len)  # type: ignore[arg-type]  # pyright: ignore[reportCallIssue, reportArgumentType]  # no async function


async def a_call_that_is_retried_keeps_the_type() -> None:
    assert_type(await Retry().call(length, "a"), int)
    assert_type(await Retry(on=Kind.TRANSIENT).outcome(length, "a"), Value[int] | Failure | Cancelled)
    await Retry().call(length, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it takes a text
    Retry(on="transient")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # a Kind, not its name


@job
async def plain(item: str) -> int:
    return await length(item)


@job(attempts=5, timeout=10, retry_on=OSError)
async def with_policy(item: str) -> int:
    return await length(item)


async def a_job_is_the_function_that_it_was() -> None:
    assert_type(await plain("a"), int)
    assert_type(await with_policy(item="a"), int)


async def a_pipeline_keeps_the_type() -> None:
    shop = unlost.deadline(30) | unlost.retry(5) | unlost.Breaker() | unlost.timeout(3)
    assert_type(shop, unlost.Pipeline)
    assert_type(await shop.call(length, "a"), int)
    assert_type(await shop(length)("a"), int)
    assert_type(await shop.outcome(length, "a"), unlost.Value[int] | unlost.Failure | unlost.Cancelled)
    assert_type(await unlost.map(length, ["a"], limit=1, policy=shop), unlost.Outcomes[int])
    assert_type(unlost.Breaker()["host"], unlost.Breaker)
    assert_type(unlost.remaining(), float | None)
    shop | 3  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]  # no layer
