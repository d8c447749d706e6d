"""What a type checker sees of groups and of operations that run at once: checked by mypy and pyright, never run."""

import asyncio
from typing import Any, assert_never, assert_type

from unlost import (
    Cancelled,
    Continue,
    Decision,
    Failure,
    Handle,
    Outcome,
    Outcomes,
    Stop,
    TaskGroup,
    Value,
    as_completed,
    collect,
    gather,
    quorum,
    race,
    race_outcome,
    settle,
)


async def length(text: str) -> int:
    return len(text)


async def name() -> str:
    return ""


async def gather_keeps_each_type() -> None:
    assert_type(await gather(length("a")), tuple[int])
    assert_type(await gather(length("a"), name()), tuple[int, str])
    assert_type(await gather(length("a"), name, asyncio.sleep(1, 1.5)), tuple[int, str, float])
    assert_type(await gather(length("a"), length("b"), name(), name()), tuple[int, int, str, str])
    assert_type(await gather(*[length("a")]), tuple[int, ...])
    await gather(3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # no operation


async def settle_keeps_the_types() -> None:
    assert_type(await settle(length("a"), name()), Outcomes[int | str])


async def race_is_of_either_type() -> None:
    assert_type(await race(length("a"), length("b")), int)
    assert_type(await race(length("a"), name()), int | str)
    assert_type(await race(length("a"), name(), asyncio.sleep(1, 1.5)), int | str | float)
    assert_type(await race_outcome(length("a"), name()), Value[int | str] | Failure | Cancelled)


async def as_completed_hands_over_outcomes() -> None:
    async with as_completed(length("a"), name()) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Value[int | str] | Failure | Cancelled)


async def a_handle_has_its_childs_type() -> None:
    async with TaskGroup() as group:
        handle = group.start_soon(length, "a")
        assert_type(handle, Handle[int])
        assert_type(await handle, int)
        assert_type(group.create_task(name()), asyncio.Task[str])
        group.start_soon(length, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # length takes no int
        group.start_soon(length)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it needs a text
    assert_type(handle.outcome, Value[int] | Failure | Cancelled | None)
    assert_type(group.outcomes, Outcomes[Any])  # children of every type


async def a_policy_says_what_the_result_is() -> None:
    async with TaskGroup(collect()) as collecting:
        pass
    assert_type(collecting.result, Outcomes[Any])
    async with TaskGroup(policy=quorum(1)) as voting:
        pass
    assert_type(voting.result, list[Any])
    async with TaskGroup() as plain:
        pass
    assert_type(plain.result, list[Any])


class FirstError:
    def on_start(self, index: int, /) -> None: ...

    def on_outcome(self, outcome: Outcome[Any], /) -> Decision:
        return Stop("one is enough") if isinstance(outcome, Failure) else Continue()

    def result(self, outcomes: Outcomes[Any], /) -> BaseException | None:
        return next((failure.error for failure in outcomes.failures), None)


async def a_policy_of_ones_own_does_too() -> None:
    async with TaskGroup(FirstError()) as group:
        pass
    assert_type(group.result, BaseException | None)
    TaskGroup(policy=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # no policy


def match_on_a_handles_outcome_narrows(handle: Handle[int]) -> int:
    match handle.outcome:
        case Value(value):
            return assert_type(value, int)
        case Failure(error):
            raise error
        case Cancelled():
            return 0
        case None:
            return -1
        case _ as never:
            assert_never(never)
