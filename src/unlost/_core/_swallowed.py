"""A cancellation that was asked for, delivered, and never came out."""

from __future__ import annotations

from dataclasses import dataclass

from unlost._core._events import Event
from unlost._core._reason import Reason


@dataclass(frozen=True, slots=True)
class CancellationSwallowed(Event):
    """
    A task was cancelled, and went on as if it had not been: some code caught the ``CancelledError`` and did not raise.

    That may be meant, to hand over what there is. It may also be an ``except`` that is too broad, a ``return`` in a
    ``finally``, or ``asyncio.wait_for`` of Python 3.11, which drops a cancellation that comes with the result.

    Attributes:
        name: The task's.
        reason: Who had asked for the cancellation, why and when.
        where: ``file.py:12 in function``, where the task stood when it was asked to stop: what swallowed it is that
            function, or one that awaited it. Empty where that is not known.
    """

    name: str
    reason: Reason
    where: str
