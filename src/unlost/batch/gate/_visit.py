"""One item at the gate: what it holds, what it waits for, what it was answered so far."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from unlost.batch.gate._lane import Ticket
from unlost.batch.gate._need import NOTHING, Amounts

GIVEN_BACK: Final = object()
"""What an attempt returns that was not made, or that nobody counts: the item is as it was before its start."""


class Visit:
    """
    Attributes:
        item: The input itself.
        is_known: Whether ``key`` and ``estimate`` are.
        key: Whose rates and rests hold.
        estimate: What a call will use.
        is_seated: Whether it holds a seat.
        has_failed: Whether a call of it has failed, and stands.
        is_waiting: Whether it waits at the gate: no call of it is under way.
        is_unknown: Whether nobody knows what became of its last call: a timeout, say.
        is_probe: Whether its call is to show whether an outage is over.
        ticket: Of the call that is under way.
        held: How often it was sent away, which is no attempt.
        refusal: The last error of those.
        failures: The last error that was no attempt of the item, or that is not known to be one yet; at most one.
    """

    # of the class until it changes: most visits need nothing but their item
    is_known = False
    key: Hashable = None
    estimate: Amounts = NOTHING
    is_seated = True
    has_failed = False
    is_waiting = False
    is_unknown = False
    is_probe = False
    ticket: Ticket | None = None
    held = 0
    refusal: BaseException | None = None
    failures: tuple[BaseException, ...] = ()

    def __init__(self, item: Any) -> None:  # Any: whatever the input holds
        self.item = item

    @property
    def is_undone(self) -> bool:
        """Whether it waits and is known not to have been done."""
        return self.is_waiting and not self.is_unknown


def ended_unknown(error: BaseException) -> bool:
    """Tell whether ``error`` leaves open what the service did: a timeout, but for one of getting a connection."""
    names = [base.__name__ for base in type(error).__mro__]
    if any(name.startswith(("Connect", "ServerConnect", "ConnectionTimeout", "Pool")) for name in names):
        return False
    return isinstance(error, TimeoutError) or names[0].endswith(("Timeout", "TimeoutError", "TimeoutException"))
