from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import pytest

from unlost.observe.install._session import Session
from unlost.observe.watch import held_by, reported


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that is given the generation of each collection, which does not take place."""
    found: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda generation=2: found.append(generation))
    return found


def ends(session: Session, end: Callable[[ValueError], object]) -> None:
    """Let a test of a session be watched in which an exception stays behind."""
    error = ValueError("it broke")
    session.begin("a test")
    end(error)
    session.called("a test")
    session.end("a test")


@pytest.mark.parametrize("end", [lambda _: None, lambda error: reported(error, "a log record")])
def test_nothing_is_collected_for_what_came_to_a_good_end(
    collected: list[int], end: Callable[[ValueError], object]
) -> None:
    session = Session()

    ends(session, end)

    assert collected == []
    session.close()


def test_garbage_is_collected_while_what_may_end_badly_is_outstanding(collected: list[int]) -> None:
    session = Session()

    ends(session, lambda error: held_by(error, "a future"))

    assert collected == [1, 1, 2]
    session.close()


def test_a_full_collection_is_spared_where_the_young_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []
    full = gc.collect

    def collect(generation: int = 2) -> int:
        collected.append(generation)
        return full(generation)

    monkeypatch.setattr(gc, "collect", collect)
    session = Session()

    def in_a_cycle(error: ValueError) -> None:
        another = KeyError("in a cycle")
        another.itself = another  # type: ignore[attr-defined]  # as an excinfo in a frame of its own traceback is
        held_by(another, "a future")

    ends(session, in_a_cycle)

    assert collected == [1]
    session.close()


def test_tasks_that_ended_in_the_teardown_of_their_test_are_forgotten() -> None:
    session = Session()
    loop = asyncio.new_event_loop()
    session.begin("a test")
    task = loop.create_task(asyncio.sleep(60))
    session.called("a test")
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))
    found = session.end("a test")

    assert found == []
    assert not session._tasks
    assert not session._of
    loop.close()
    session.close()
