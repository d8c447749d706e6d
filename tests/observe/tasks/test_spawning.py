"""Tasks as asyncio makes them, and what is kept of where."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from typing import Any

import pytest

from unlost._core.hooks import Making, Undo, _spawning, on_futures, replace


class MyTask(asyncio.tasks._PyTask):  # type: ignore[name-defined, misc]  # asyncio's own in Python
    """What a program makes all of its tasks of."""


@pytest.fixture(name="undos")
def _undos() -> Iterator[list[Undo]]:
    undos: list[Undo] = []
    yield undos
    while undos:
        undos.pop()()


def test_a_class_that_stands_in_for_asyncios_makes_the_tasks(
    monkeypatch: pytest.MonkeyPatch, undos: list[Undo]
) -> None:
    async def kind_of_task() -> type:
        return type(asyncio.current_task())

    undos.append(replace(asyncio.BaseEventLoop, "create_task", _spawning.stock_create_task(Making())))
    monkeypatch.setattr(asyncio.tasks, "Task", MyTask)
    with asyncio.Runner() as runner:
        kind = runner.run(kind_of_task())

    assert kind is MyTask


def test_a_program_that_names_what_it_compiles_does_not_fill_memory(
    monkeypatch: pytest.MonkeyPatch, undos: list[Undo]
) -> None:
    async def start_from(number: int) -> None:
        names: dict[str, Any] = {"create_task": asyncio.create_task, "sleep": asyncio.sleep}
        exec(compile("task = create_task(sleep(0))", f"<cell {number}>", "exec"), names)
        await names["task"]

    async def start_all() -> None:
        for number in range(100):
            await start_from(number)

    monkeypatch.setattr(_spawning, "_MOST_KNOWN", 20)
    undos.append(replace(asyncio.BaseEventLoop, "create_task", _spawning.stock_create_task(Making())))
    with asyncio.Runner() as runner:
        runner.run(start_all())

    assert len(_spawning._known) <= 20


def test_an_error_that_a_future_refuses_is_not_taken_for_its_own(undos: list[Undo]) -> None:
    failed: list[BaseException] = []
    undos.append(on_futures(lambda error, _spot: failed.append(error), lambda _error: None, failed.append))
    future: Future[int] = Future()
    future.set_result(1)

    with pytest.raises(InvalidStateError):
        future.set_exception(ValueError("late"))

    assert failed == []
