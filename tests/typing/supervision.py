"""What a type checker sees of supervisors, background tasks and programs: checked by mypy and pyright, never run."""

import math
from typing import Literal, assert_type

from unlost import (
    Background,
    Cancelled,
    ChildStatus,
    Failure,
    Supervisor,
    SupervisorGaveUp,
    Value,
    run,
    spawn,
)


async def length(text: str) -> int:
    return len(text)


async def serve() -> None: ...


async def a_supervisor_knows_its_words() -> None:
    async with Supervisor("one_for_all", backoff=lambda attempt: attempt * 0.1) as supervisor:
        assert_type(supervisor, Supervisor)
        name = supervisor.start_child(serve, restart="transient", grace=math.inf)
        assert_type(name, str)
        assert_type(await supervisor.stop_child(name), Value[None] | Failure | Cancelled)
        supervisor.start_child(serve, restart="always")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # no such word
        supervisor.start_child(serve())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it can run only once
    Supervisor("one_for_two")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # no such strategy


def the_status_of_a_child_is_one_of_a_few_words(supervisor: Supervisor) -> None:
    status = supervisor.children()[0]
    assert_type(status, ChildStatus)
    assert_type(status.restart, Literal["permanent", "transient", "temporary"])
    assert_type(status.state, Literal["waiting", "starting", "running", "stopping", "backoff", "ended"])
    assert_type(supervisor.crashes, tuple[Exception, ...])


def what_made_it_give_up_is_a_group(gave_up: SupervisorGaveUp) -> None:
    assert_type(gave_up.exceptions, tuple[Exception | ExceptionGroup[Exception], ...])


async def what_is_spawned_keeps_its_type() -> None:
    spawned = spawn(length, "a", name="length")
    assert_type(await spawned, int)
    assert_type(spawned.outcome, Value[int] | Failure | Cancelled | None)
    spawn(length, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it takes a text
    spawn(length)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it needs one
    spawn(len, "a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # cannot be awaited
    async with Background(grace=0) as background:
        assert_type(background, Background)
        assert_type(await background.spawn(length, "a"), int)


def a_program_returns_what_its_main_does() -> None:
    assert_type(run(length, "a", grace=1), int)
    assert_type(run(length("a"), debug=True), int)
    run(length, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it takes a text
    run(length("a"), "a")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]  # begun already
