"""What a limit tells listeners: who had to wait, who was not let in, and that it changed."""

from __future__ import annotations

from dataclasses import dataclass

from unlost._core import Event
from unlost.policies._breaker_events import CallRejected


@dataclass(frozen=True, slots=True)
class LimitWaited(Event):
    """
    A call waited for a limit, and goes on now.

    Attributes:
        name: The limit's.
        seconds: How long, by the loop's clock.
    """

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LimitRejected(CallRejected):
    """
    A limit did not let a call in; nothing of it was started. ``why`` is what the error says.

    Attributes:
        retry_after: In how many seconds it would have been let in, had nobody else come; None where that depends on
            when others end.
    """

    retry_after: float | None


@dataclass(frozen=True, slots=True)
class LimitChanged(Event):
    """
    An adaptive limit lets more or fewer calls run at once.

    Attributes:
        name: The limit's.
        before: How many might run until now.
        limit: How many may from now on.
    """

    name: str
    before: int
    limit: int
