"""asyncio, patched for one test, and what is told of meanwhile."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from unlost._core._report import report_to
from unlost.observe.patch import Patch, patch_asyncio


class Boom(Exception):
    pass


async def fail(text: str, after: float = 0.0) -> None:
    await asyncio.sleep(after)
    raise Boom(text)


async def fail_when_stopped(text: str) -> None:
    try:
        await asyncio.sleep(30)
    finally:
        raise Boom(text)


@dataclass
class Told:
    """By whom what was told of; both in the order of its coming, as texts."""

    by_us: list[str] = field(default_factory=list)
    by_asyncio: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Hear what the running loop has to say."""
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: self.by_asyncio.append(str(context.get("exception")))
        )

    async def all(self) -> list[str]:
        """Return everything, once what still runs has ended and what can die is dead."""
        await asyncio.sleep(1)
        gc.collect()
        return self.by_us + self.by_asyncio


@pytest.fixture
def patch() -> Iterator[Patch]:
    patch = patch_asyncio()
    yield patch
    patch.undo()
    assert (patch.kept.faults, patch.missed) == (0, {}), patch.kept.last_fault


@pytest.fixture
def told(patch: Patch) -> Iterator[Told]:
    told = Told()
    with report_to(lambda error, _what: told.by_us.append(str(error))):
        yield told
        gc.collect()


def texts(errors: tuple[Any, ...]) -> list[str]:
    return [str(error) for error in errors]
