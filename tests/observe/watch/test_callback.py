"""What a callback does with the task that it is given."""

from __future__ import annotations

import contextlib
import sys
from asyncio import Task
from collections.abc import Callable

import pytest

from unlost.observe.watch._callback import Use, use_of

# from 3.12 on the interpreter tells of the handler, which is then judged by itself
IN_A_HANDLER = Use.DROPS if sys.version_info >= (3, 12) else Use.TAKES


def asks_in_a_try(task: Task[None]) -> None:
    try:
        task.result()
    except ValueError as error:
        print(error)


def asks_in_a_with(task: Task[None]) -> None:
    with contextlib.suppress(ValueError):
        task.result()


def asks_whether_beside_a_try(task: Task[None]) -> None:
    if task.exception():
        return
    try:
        print("none")
    finally:
        print("ended")


@pytest.mark.parametrize(
    ("callback", "use"),
    [
        (asks_in_a_try, IN_A_HANDLER),
        (asks_in_a_with, IN_A_HANDLER),
        (asks_whether_beside_a_try, Use.DROPS),
        (lambda task: task.result(), Use.DROPS),
    ],
)
def test_what_a_handler_is_given_is_not_said_to_be_dropped_where_handlers_are_not_seen(
    callback: Callable[[Task[None]], None], use: Use
) -> None:
    assert use_of(callback.__code__, 0) is use
