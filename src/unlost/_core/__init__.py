"""
What runs operations and keeps their outcomes.

The rooms: ``groups``, ``together`` (``gather`` and its like), ``pool`` (``map`` and ``stream``), ``background``,
``supervision``, ``channel``, ``cleaning``. What they share lies beside them: outcomes, reasons, receipts, events, the
reporters, and the doors to tasks, clock and hooks. Some of it is for the floors above.
"""

from unlost._core._around import Around
from unlost._core._backoff import (
    Backoff,
    Schedule,
    bounds,
    constant,
    decorrelated_jitter,
    exponential,
    full_jitter,
    linear,
)
from unlost._core._carried import carried
from unlost._core._caught import outcome_of
from unlost._core._clock import cpu_time, monotonic, wall
from unlost._core._events import AttemptFailed, Event, Listener, emit, listen
from unlost._core._forgive import forgive
from unlost._core._forgiven import Forgiven, forgiven
from unlost._core._hooks import end_by_signal, on_signals
from unlost._core._late import LateValue
from unlost._core._notes import add_note
from unlost._core._outcome import Cancelled, Failure, Outcome, Value
from unlost._core._outcomes import Outcomes, partial
from unlost._core._outcomes import attach as attach_outcomes
from unlost._core._reason import Reason, asked_now, cancel_reason
from unlost._core._receipt import Receipt, Survived, receipt, survive
from unlost._core._report import Reporter, report, report_to
from unlost._core._reraise import reraise
from unlost._core._stubborn import StillRunning, Watch
from unlost._core._swallowed import CancellationSwallowed
from unlost._core._tasks import start as start_task
from unlost._core._to_its_end import run_to_its_end
from unlost._core._to_thread import abandoned, to_thread
from unlost._core._uncancel import cancelling_before, take_back
from unlost._core._unheard import take_unheard
from unlost._core._where import still_running, where
from unlost._core.background import Background, Spawned, run, spawn
from unlost._core.channel import Channel, ChannelStatistics, Consumer, Producer
from unlost._core.cleaning import Finalizers, cleanup
from unlost._core.groups import (
    Continue,
    Decision,
    Handle,
    Policy,
    Status,
    Stop,
    TaskGroup,
    TaskStatus,
    collect,
    fail_fast,
    quorum,
    tolerate,
    wait_all,
)
from unlost._core.pool import (
    Isolation,
    Stream,
    map,  # noqa: A004  # the user's word for it
    stream,
)
from unlost._core.supervision import ChildRestarted, ChildStatus, Supervisor
from unlost._core.together import AsCompleted, as_completed, gather, race, race_outcome, settle

__all__ = [
    "Around",
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
    "Schedule",
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
    "Watch",
    "abandoned",
    "add_note",
    "as_completed",
    "asked_now",
    "attach_outcomes",
    "bounds",
    "cancel_reason",
    "cancelling_before",
    "carried",
    "cleanup",
    "collect",
    "constant",
    "cpu_time",
    "decorrelated_jitter",
    "emit",
    "end_by_signal",
    "exponential",
    "fail_fast",
    "forgive",
    "forgiven",
    "full_jitter",
    "gather",
    "linear",
    "listen",
    "map",
    "monotonic",
    "on_signals",
    "outcome_of",
    "partial",
    "quorum",
    "race",
    "race_outcome",
    "receipt",
    "report",
    "report_to",
    "reraise",
    "run",
    "run_to_its_end",
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
