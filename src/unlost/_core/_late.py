"""What ended after its owner had gone on: an error is reported, a value told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unlost._core._events import Event, emit
from unlost._core._outcome import Failure, Outcome, Value
from unlost._core._report import report


@dataclass(frozen=True, slots=True)
class LateValue(Event):
    """
    A call that nobody waited for any more came to a value.

    A call in a thread tells it in that thread.

    Attributes:
        name: The call, for example ``to_thread(read)``.
        value: What it returned.
    """

    name: str
    value: object


def hand_over_late(outcome: Outcome[Any], name: str, gone: str) -> None:  # Any: values are not looked at
    """
    Give what came too late to the reporters or the listeners.

    Args:
        outcome: How the call ended; a cancellation is nothing to tell of: nobody waits, and it obeyed.
        name: The call.
        gone: Why its owner could not take it, for example ``the caller was cancelled 2.0 s ago``.
    """
    if isinstance(outcome, Failure):
        report(outcome.error, f"{name} failed; {gone}")
    elif isinstance(outcome, Value):
        emit(LateValue(name, outcome.value))
