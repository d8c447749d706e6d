"""
The loops that people use: stock asyncio and uvloop, each with and without eager tasks where Python has these.

``UNLOST_LOOPS=asyncio`` (names, separated by commas) limits the tests to some of them, for speed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio import AbstractEventLoop, Task
from collections.abc import Callable, Coroutine, Mapping
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

import pytest

from support.virtual_time import VirtualTimeLoop

LoopFactory: TypeAlias = Callable[[], AbstractEventLoop]

if find_spec("uvloop") is not None:  # there is none for Windows
    import uvloop

    from support.virtual_uvloop import VirtualTimeUvloop

    _VIRTUAL: Mapping[str, LoopFactory] = {"asyncio": VirtualTimeLoop, "uvloop": VirtualTimeUvloop}
    _REAL: Mapping[str, LoopFactory] = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
else:
    _VIRTUAL = {"asyncio": VirtualTimeLoop}
    _REAL = {"asyncio": asyncio.new_event_loop}


def with_eager_tasks(make_loop: LoopFactory) -> LoopFactory:
    """Return ``make_loop`` with tasks that run to their first suspension while they are created."""

    def make() -> AbstractEventLoop:
        loop = make_loop()
        loop.set_task_factory(_eager_task)
        return loop

    return make


def _eager_task(
    loop: AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], eager_start: bool | None = None, **options: Any
) -> Task[Any]:
    # uvloop passes eager_start=None to every factory, which asyncio's own takes from 3.13.3 on only
    return asyncio.eager_task_factory(loop, coroutine, **options)


def _every(loops: Mapping[str, LoopFactory]) -> dict[str, LoopFactory]:
    eager = {f"{name}-eager": with_eager_tasks(make) for name, make in loops.items()}
    return {**loops, **(eager if sys.version_info >= (3, 12) else {})}


VIRTUAL: Final = _every(_VIRTUAL)
REAL: Final = _every(_REAL)


def chosen(loops: Mapping[str, LoopFactory], names: str | None = None) -> dict[str, LoopFactory]:
    """Return the ``loops`` that ``names`` has, by default the environment's ``UNLOST_LOOPS``; all if it is empty."""
    wanted = [name for name in (os.environ.get("UNLOST_LOOPS", "") if names is None else names).split(",") if name]
    if unknown := [name for name in wanted if name not in loops]:
        raise pytest.UsageError(f"UNLOST_LOOPS names {unknown!r}; on this Python there are {', '.join(loops)}.")
    return {name: loops[name] for name in wanted} or dict(loops)
