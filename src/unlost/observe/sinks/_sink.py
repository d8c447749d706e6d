"""What every sink is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from unlost.observe.sinks._report import Report


@runtime_checkable
class Sink(Protocol):
    """
    Where reports go.

    A sink is called by one thread at a time. What it raises is reported to the others, and what it could not take is
    printed if they cannot either.

    A sink with a true attribute ``waits`` (for a network, for a lock) is called in a thread of the library's own, from
    a queue; any other is called by whoever reports, so often on an event loop, and must be quick.
    """

    def emit(self, report: Report) -> None:
        """Take one report; it is JSON-ready data and holds neither the exception nor its frames."""

    def close(self) -> None:
        """Let go of files and connections, and flush; called once, with nothing emitted after."""


def waits(sink: Sink) -> bool:
    """Say whether the sink is one that waits."""
    return bool(getattr(sink, "waits", False))


def name_of(sink: Sink) -> str:
    """Return what a sink is called in messages: the name of its class."""
    return type(sink).__qualname__
