"""One item at the gate: what it holds, what it waits for, what it was answered so far."""

from __future__ import annotations

import re
from collections.abc import Hashable
from itertools import islice
from typing import Any, Final

from unlost.batch.gate._lane import Ticket
from unlost.batch.gate._need import NOTHING, Amounts
from unlost.errors import causes, status_of

GIVEN_BACK: Final = object()
"""What an attempt returns that was not made, or that nobody counts: the item is as it was before its start."""

_REFUSED: Final = frozenset({401, 402, 429})  # of these statuses, nothing was done
_NOT_REACHED: Final = re.compile(
    r"ConnectionRefusedError|gaierror|ConnectError|Connect(?:ion)?Timeout(?:Error)?|Pool(?:Acquire)?Timeout(?:Error)?"
    r"|\w*ClientConnector\w*Error|NewConnectionError|NameResolutionError|EndpointConnectionError"
)  # of sockets, httpx, httpcore, aiohttp, urllib3, requests, botocore, psycopg
_CHAIN: Final = 20  # causes that are looked at


class Visit:
    """
    Attributes:
        item: The input itself.
        attempt: Which attempt is under way, or was last; 0 before the first.
        is_known: Whether ``key`` and ``estimate`` are.
        key: Whose rates and rests hold.
        estimate: What a call will use.
        is_seated: Whether it holds a seat.
        has_failed: Whether a call of it has failed, and stands.
        is_waiting: Whether it waits at the gate: no call of it is under way.
        is_unknown: Whether a call of it may have been done: it timed out, say, or told what it spent or keeps.
        is_probe: Whether its call is to show whether an outage is over.
        ticket: Of the call that is under way.
        held: How often it was sent away, which is no attempt.
        refusal: The last error of those.
        failures: The last error that was no attempt of the item, or that is not known to be one yet; at most one.
    """

    # of the class until it changes: most visits need nothing but their item
    attempt = 0
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
    """
    Tell whether ``error`` leaves open what the service did.

    So does each one, but for what never reached it, by the names that the clients have for that, and what it refused. A
    group does: of what ran side by side, it does not have what was cancelled or came to something.
    """
    if isinstance(error, BaseExceptionGroup):
        return True
    return status_of(error) not in _REFUSED and not _is_not_reached(error)


def _is_not_reached(error: BaseException) -> bool:
    links = islice(causes(error), _CHAIN)
    return any(_NOT_REACHED.fullmatch(base.__name__) for link in links for base in type(link).__mro__)
