"""
What runs operations and keeps their outcomes.

``settle``, ``map`` and ``stream`` run operations; ``Outcome`` is how one ended; ``partial`` finds the outcomes that
travel with an error. The rest is for the floors above: the clock, backoff, events, the default reporter.
"""

from unlost._core._backoff import Backoff, constant, exponential, full_jitter
from unlost._core._clock import monotonic, wall
from unlost._core._events import AttemptFailed, Event, Listener, emit, listen
from unlost._core._hooks import end_by_signal, on_signals
from unlost._core._isolation import Isolation
from unlost._core._map import map  # noqa: A004  # the user's word for it
from unlost._core._notes import add_note
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._outcomes import Outcomes, partial
from unlost._core._outcomes import attach as attach_outcomes
from unlost._core._reason import Reason, asked_now, cancel_reason
from unlost._core._receipt import Receipt, Survived, receipt, survive
from unlost._core._report import Reporter, report, report_to
from unlost._core._reraise import reraise
from unlost._core._settle import settle
from unlost._core._stream import Stream, stream
from unlost._core._tasks import start as start_task
from unlost._core._unheard import take_unheard
from unlost._core._where import still_running, where

__all__ = [
    "AttemptFailed",
    "Backoff",
    "Cancelled",
    "Event",
    "Failure",
    "Isolation",
    "Listener",
    "Outcome",
    "Outcomes",
    "Reason",
    "Receipt",
    "Reporter",
    "Stream",
    "Survived",
    "Value",
    "add_note",
    "asked_now",
    "attach_outcomes",
    "cancel_reason",
    "constant",
    "emit",
    "end_by_signal",
    "exponential",
    "full_jitter",
    "listen",
    "map",
    "monotonic",
    "on_signals",
    "partial",
    "receipt",
    "report",
    "report_to",
    "reraise",
    "settle",
    "start_task",
    "still_running",
    "stream",
    "survive",
    "take_unheard",
    "wall",
    "where",
]
