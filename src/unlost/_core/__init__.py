"""
What runs operations and keeps their outcomes.

``settle``, ``map`` and ``stream`` run operations; ``Outcome`` is how one ended; ``partial`` finds the outcomes that
travel with an error. The rest is for the floors above: the clock, backoff, events, the default reporter.
"""

from unlost._core._as_completed import AsCompleted, as_completed
from unlost._core._background import Background
from unlost._core._backoff import Backoff, constant, exponential, full_jitter
from unlost._core._channel import Channel, ChannelStatistics
from unlost._core._channel_ends import Consumer, Producer
from unlost._core._cleanup import cleanup
from unlost._core._clock import monotonic, wall
from unlost._core._events import AttemptFailed, Event, Listener, emit, listen
from unlost._core._finalizers import Finalizers
from unlost._core._forgive import forgive
from unlost._core._forgiven import Forgiven, forgiven
from unlost._core._gather import gather
from unlost._core._group import TaskGroup
from unlost._core._group_policies import collect, fail_fast, quorum, tolerate, wait_all
from unlost._core._handle import Handle, Status
from unlost._core._hooks import end_by_signal, on_signals
from unlost._core._isolation import Isolation
from unlost._core._late import LateValue
from unlost._core._map import map  # noqa: A004  # the user's word for it
from unlost._core._notes import add_note
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._outcomes import Outcomes, partial
from unlost._core._outcomes import attach as attach_outcomes
from unlost._core._policy import Continue, Decision, Policy, Stop
from unlost._core._race import race, race_outcome
from unlost._core._ready import TaskStatus
from unlost._core._reason import Reason, asked_now, cancel_reason
from unlost._core._receipt import Receipt, Survived, receipt, survive
from unlost._core._report import Reporter, report, report_to
from unlost._core._reraise import reraise
from unlost._core._run import run
from unlost._core._settle import settle
from unlost._core._spawn import spawn
from unlost._core._spawned import Spawned
from unlost._core._stream import Stream, stream
from unlost._core._stubborn import StillRunning
from unlost._core._supervisor import Supervisor
from unlost._core._supervisor_child import ChildStatus
from unlost._core._supervisor_restarts import ChildRestarted
from unlost._core._swallowed import CancellationSwallowed
from unlost._core._tasks import start as start_task
from unlost._core._to_thread import abandoned, to_thread
from unlost._core._uncancel import cancelling_before, take_back
from unlost._core._unheard import take_unheard
from unlost._core._where import still_running, where

__all__ = [
    "AsCompleted",
    "AttemptFailed",
    "Background",
    "Backoff",
    "CancellationSwallowed",
    "Cancelled",
    "Channel",
    "ChannelStatistics",
    "ChildRestarted",
    "ChildStatus",
    "Consumer",
    "Continue",
    "Decision",
    "Event",
    "Failure",
    "Finalizers",
    "Forgiven",
    "Handle",
    "Isolation",
    "LateValue",
    "Listener",
    "Outcome",
    "Outcomes",
    "Policy",
    "Producer",
    "Reason",
    "Receipt",
    "Reporter",
    "Spawned",
    "Status",
    "StillRunning",
    "Stop",
    "Stream",
    "Supervisor",
    "Survived",
    "TaskGroup",
    "TaskStatus",
    "Value",
    "abandoned",
    "add_note",
    "as_completed",
    "asked_now",
    "attach_outcomes",
    "cancel_reason",
    "cancelling_before",
    "cleanup",
    "collect",
    "constant",
    "emit",
    "end_by_signal",
    "exponential",
    "fail_fast",
    "forgive",
    "forgiven",
    "full_jitter",
    "gather",
    "listen",
    "map",
    "monotonic",
    "on_signals",
    "partial",
    "quorum",
    "race",
    "race_outcome",
    "receipt",
    "report",
    "report_to",
    "reraise",
    "run",
    "settle",
    "spawn",
    "start_task",
    "still_running",
    "stream",
    "survive",
    "take_back",
    "take_unheard",
    "to_thread",
    "tolerate",
    "wait_all",
    "wall",
    "where",
]
