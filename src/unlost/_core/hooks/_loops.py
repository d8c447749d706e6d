"""
Every event loop: what it starts, and what it has to say of errors.

Its class is told, not the loop itself, whose task factory and exception handler stay what the program made them. The
classes that are derived from ``AbstractEventLoop`` are known beforehand; a loop of a class that comes later is met when
it begins to run, which is after its first task was made.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, BaseEventLoop
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from unlost._core.hooks._replaced import Switch, Undo, replace, together
from unlost._core.hooks._spawning import Making, observed_create_task, stock_create_task, uvloop_create_task

Around: TypeAlias = Callable[[Callable[[], object], AbstractEventLoop, dict[str, Any]], object]
"""Called with what calls the loop's own ``call_exception_handler``, which it has to call once; must not raise else."""

_METHODS: Final = ("create_task", "call_exception_handler")


def on_loops(around: Around, making: Making) -> Undo:
    """
    Note where each task of any loop is started, and let ``around`` stand around what a loop says of errors.

    Args:
        around: Stands around ``call_exception_handler``.
        making: What to do about new tasks; its ``fault`` gets what a loop's class has against being told anything.
    """
    undos: list[Undo] = []
    seen: set[type] = {AbstractEventLoop, object}

    def meet(kind: type) -> None:
        for cls in reversed(kind.__mro__):  # the base first: what it was told, a derived class has from it
            if cls not in seen:
                seen.add(cls)
                try:
                    undos.extend(_observe(cls, around, making))
                except Exception as refused:  # counted: a loop of a strange kind has to run, too  # noqa: BLE001
                    making.fault(refused)

    for kind in tuple(_derived(AbstractEventLoop)):
        meet(kind)

    def meeting(original: Any, switch: Switch) -> Any:  # Any: in C
        def _set_running_loop(loop: AbstractEventLoop | None) -> None:
            if loop is not None and switch.on and type(loop) not in seen:
                meet(type(loop))
            original(loop)

        return _set_running_loop

    # under both names: uvloop takes it from the one when it is imported, asyncio looks at the other each time
    undos.append(replace(asyncio, "_set_running_loop", meeting))
    undos.append(replace(asyncio.events, "_set_running_loop", meeting))
    return together(undos)


def _derived(cls: type) -> Iterator[type]:
    kind: type
    for kind in cls.__subclasses__():
        yield kind
        yield from _derived(kind)


def _observe(cls: type, around: Around, making: Making) -> Iterator[Undo]:
    if cls is BaseEventLoop:
        creating = stock_create_task
    else:
        creating = uvloop_create_task if cls.__module__ == "uvloop" else observed_create_task
    makers = (creating(making), _talking(around))
    for name, maker in zip(_METHODS, makers, strict=True):
        if _defines(cls, name):
            try:
                yield replace(cls, name, maker)
            except TypeError:  # a class in C: the one in Python that is derived from it has its method, see _defines
                continue


def _defines(cls: type, name: str) -> bool:
    """Whether a class has a method of its own, or from a class in C, which cannot be told anything."""
    if name in vars(cls):
        return True
    for base in cls.__mro__[1:]:
        if name in vars(base):
            return not base.__flags__ & _HEAP_TYPE
    return False


_HEAP_TYPE: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE


def _talking(around: Around) -> Callable[[Any, Switch], Any]:  # Any: a method
    def make(original: Any, switch: Switch) -> Any:  # Any: as above
        def call_exception_handler(self: AbstractEventLoop, context: dict[str, Any]) -> None:  # Any: of every sort
            if switch.on:
                around(lambda: original(self, context), self, context)
            else:
                original(self, context)

        return call_exception_handler

    return make
