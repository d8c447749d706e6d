"""Methods that say when they are looked up: to everybody else, the methods that they were."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any
from unittest.mock import create_autospec

import pytest

from unlost._core.hooks import on_lookup


@pytest.fixture(autouse=True)
def _looked_up() -> Iterator[None]:
    undos = [on_lookup(cls, name, lambda _: None) for cls, name in ((asyncio.Queue, "put_nowait"), (Future, "result"))]
    yield
    for undo in undos:
        undo()


def test_a_mock_of_their_class_takes_what_the_method_takes() -> None:
    queue, future = create_autospec(asyncio.Queue, instance=True), create_autospec(Future, instance=True)

    queue.put_nowait("item")
    future.result(timeout=3)

    queue.put_nowait.assert_called_once_with("item")
    with pytest.raises(TypeError):
        queue.put_nowait()


def test_who_looks_into_the_class_finds_a_function_that_can_be_called() -> None:
    queue: asyncio.Queue[str] = asyncio.Queue()
    found: Any = vars(asyncio.Queue)["put_nowait"]  # Any: what the class holds

    found(queue, "item")

    assert inspect.isfunction(found)
    assert (found.__qualname__, found.__module__) == ("Queue.put_nowait", "asyncio.queues")
    assert found.__code__ is asyncio.Queue.put_nowait.__code__
    assert queue.get_nowait() == "item"


def test_nobody_is_told_while_there_is_nothing_for_which_that_is_wanted() -> None:
    told: list[Any] = []  # Any: instances of the class
    wanted: set[str] = set()
    undo = on_lookup(asyncio.Event, "is_set", told.append, while_any=wanted)
    event = asyncio.Event()
    try:
        event.is_set()
        wanted.add("an error")
        event.is_set()
        wanted.clear()
        event.is_set()
    finally:
        undo()

    assert told == [event]
