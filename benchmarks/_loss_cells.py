"""How one library does the jobs of the matrix: a file each, ``_loss_<library>.py``, holds its cells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from _loss_reach import tokens
from _loss_record import BoomExit, BoomInterrupt, raise_, write
from _loss_scenarios import SCENARIOS

Main: TypeAlias = Callable[[], Coroutine[Any, Any, object]]  # Any: what it yields to the loop


@dataclass(frozen=True, slots=True)
class Cell:
    """
    How a library does one job.

    Attributes:
        api: What of the library is used.
        main: The program; what it returns or raises is what the caller got.
        run: What runs it, ``asyncio.run`` for example.
    """

    api: str
    main: Main
    run: Callable[[Main], object]


def run_asyncio(main: Main) -> object:
    return asyncio.run(main())


@dataclass(frozen=True, slots=True)
class Cells:
    """All cells of one library; what it has no word for is missing."""

    run: Callable[[Main], object] = run_asyncio
    by_scenario: dict[str, Cell] = field(default_factory=dict)

    def cell(self, scenario: str, api: str) -> Callable[[Main], Main]:
        if scenario not in SCENARIOS or scenario in self.by_scenario:
            raise ValueError(f"cell for {scenario!r}: expected a scenario that has none yet")

        def register(main: Main) -> Main:
            self.by_scenario[scenario] = Cell(api, main, self.run)
            return main

        return register


def got(*things: object) -> None:
    """Say that the program was handed this, and goes on."""
    for token in tokens(*things):
        write("delivered", token)


@dataclass(frozen=True, slots=True)
class Operations:
    """What the programs do, with the sleep of whatever runs them."""

    sleep: Callable[[float], Awaitable[object]]

    async def succeed(self, after: float = 0.0) -> str:
        if after:
            await self.sleep(after)
        return "value"

    async def fail(self, label: str, after: float = 0.0) -> None:
        if after:
            await self.sleep(after)
        raise_(label)

    async def fail_when_stopped(self, label: str) -> None:
        try:
            await self.sleep(30)
        finally:
            raise_(label)

    async def swallow_then_fail(self, label: str) -> None:
        with suppress(BaseException):  # what a broad handler in a program does; dropping it is the point
            await self.sleep(30)
        raise_(label)

    async def exit(self, after: float) -> None:
        await self.sleep(after)
        raise_("exit", BoomExit)

    async def interrupt(self, after: float) -> None:
        await self.sleep(after)
        raise_("interrupt", BoomInterrupt)

    async def fail_each_20th(self, number: int) -> int:
        await self.sleep(0)
        if number % 20 == 0:
            raise_("item")
        return number
