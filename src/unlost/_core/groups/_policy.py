"""
What decides when a task group stops early, and what comes out of it.

A policy is told of each outcome and may stop the work. It may not drop an error: whatever it returns or raises, the
group hands over, attaches or counts every failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from unlost._core._outcome import Outcome
from unlost._core._outcomes import Outcomes

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Continue:
    """Let the others run on."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Cancel what still runs, the group's body included; ``reason`` is what they are told."""

    reason: str


Decision: TypeAlias = Continue | Stop

CONTINUE: Final = Continue()


class Policy(Protocol[R_co]):
    """
    What a ``TaskGroup`` asks. Write your own as a class with these three; one object for each group.

    An exception that one of them raises stops the group and comes out of it, with every failure attached.
    """

    def on_start(self, index: int, /) -> None:
        """Child number ``index``, counted from 0 in the order of starts, is about to be started."""
        ...

    def on_outcome(self, outcome: Outcome[Any], /) -> Decision:  # Any: children of every type
        """A child has ended; ``outcome.index`` says which. Not asked about a child that was forgiven."""
        ...

    def result(self, outcomes: Outcomes[Any], /) -> R_co:  # Any: as above
        """
        Return what the group's ``result`` is, or raise what comes out of the block.

        Asked once, when all children have ended. ``outcomes`` has one for each that was not forgiven, in the order of
        starts.
        """
        ...
