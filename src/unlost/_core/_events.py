"""
What happens between a call and its end, for whoever listens.

An event is a frozen dataclass; a listener is a callable that takes one. Listeners are called synchronously, on the
task that the event happened in, in the order they were added. A failing listener harms nobody: its error goes to the
default reporter, once for each listener.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from unlost._core._report import report
from unlost.errors import UsageError


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""


@dataclass(frozen=True, slots=True)
class AttemptFailed(Event):
    """
    One attempt failed and another follows.

    Attributes:
        error: What the attempt raised.
        attempt: Which attempt it was, counted from 1.
        wait: Seconds until the next attempt starts.
        name: What was attempted.
    """

    error: BaseException
    attempt: int
    wait: float
    name: str


Listener: TypeAlias = Callable[[Event], object]

_listeners: list[Listener] = []
_failed_listeners: set[int] = set()


@contextmanager
def listen(listener: Listener) -> Iterator[Listener]:
    """
    Call ``listener`` with each event that happens in this process until the block ends.

    Errors of the listener are reported and do not reach the code that the event happened in; ``KeyboardInterrupt``
    and ``SystemExit`` pass.
    """
    if not callable(listener):
        raise UsageError(f"listen() got {listener!r}. Write listen(function_of_one_event).")
    _listeners.append(listener)
    try:
        yield listener
    finally:
        _listeners.remove(listener)
        _failed_listeners.discard(id(listener))


def is_listened_to() -> bool:
    """Tell whether anybody listens: what only an event needs is not worth finding out otherwise."""
    return bool(_listeners)


def emit(event: Event) -> bool:
    """Tell all listeners; return whether there was one."""
    for listener in tuple(_listeners):
        try:
            listener(event)
        except Exception as listener_error:  # handed on to the reporter  # noqa: BLE001
            if id(listener) not in _failed_listeners:
                _failed_listeners.add(id(listener))
                report(listener_error, f"listener {listener!r} failed on {type(event).__name__}")
    return bool(_listeners)
