"""Calling a function as one of several finalizers."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import CORO_CREATED, getcoroutinestate, isawaitable, iscoroutine
from typing import Any

from unlost._core._caught import strip_own_frames
from unlost._core._outcome import Failure
from unlost._core.cleaning._in_flight import InFlight
from unlost._core.cleaning._shielded import child_cancelled, shielded


class Pushed:
    """Calls the function in the block's task; awaits what it returns in a shielded child task."""

    __slots__ = ("_args", "_func", "_name", "_timeout")

    def __init__(
        self, func: Callable[..., object], args: tuple[Any, ...], timeout: float | None, name: str
    ) -> None:  # Any: the function's own parameters
        self._func = func
        self._args = args
        self._timeout = timeout
        self._name = name

    async def __call__(self, flight: InFlight) -> None:
        try:
            returned = self._func(*self._args)
            if isawaitable(returned):
                await self._shield(returned, flight)
        except GeneratorExit:
            raise
        except BaseException as raised:  # handed on: into the flight  # noqa: BLE001
            strip_own_frames(raised)
            flight.add(child_cancelled(self._name, raised) if isinstance(raised, CancelledError) else raised)

    async def _shield(self, awaitable: Awaitable[object], flight: InFlight) -> None:
        outcome, cancellation = await shielded(partial(_await, awaitable), timeout=self._timeout, name=self._name)
        try:
            if iscoroutine(awaitable) and getcoroutinestate(awaitable) == CORO_CREATED:
                awaitable.close()  # its task was cancelled before its first step
            if isinstance(outcome, Failure):
                flight.add(outcome.error)
            if cancellation is not None:
                flight.add(cancellation)
        finally:
            del self, awaitable, flight, outcome, cancellation


async def _await(awaitable: Awaitable[object]) -> object:
    try:
        return await awaitable
    finally:
        del awaitable  # frames of what was raised refer to this one
