"""
What can go wrong: the library's exceptions, groups, kinds, hints, history and translation.

``remember``, ``recall`` and ``forget`` are for the other floors of this library: what it keeps with an exception.
"""

from unlost.errors._attached import attach_errors, attached
from unlost.errors._classify import Kinds, classify, default_kinds, extend_kinds
from unlost.errors._exceptions import (
    BreakerOpen,
    BulkheadFull,
    ChannelClosed,
    ChildCancelled,
    ChildFailed,
    ChildReturned,
    ChildStillRunning,
    ConsumersGone,
    DeadlineExceeded,
    EndOfChannel,
    ItemsLeft,
    LimitExceeded,
    PermanentError,
    ProducerFailed,
    RateExceeded,
    StreamIncomplete,
    SupervisorGaveUp,
    TransientError,
    UnlostError,
    UnwantedResult,
    UsageError,
)
from unlost.errors._groups import leaves, rebuild, split, walk
from unlost.errors._hints import causes, retry_after, status_of
from unlost.errors._history import attach_attempts, attempts, move_history
from unlost.errors._kinds import Kind
from unlost.errors._own_group import group_of
from unlost.errors._private import forget, headline, recall, remember
from unlost.errors._translate import translate

__all__ = [
    "BreakerOpen",
    "BulkheadFull",
    "ChannelClosed",
    "ChildCancelled",
    "ChildFailed",
    "ChildReturned",
    "ChildStillRunning",
    "ConsumersGone",
    "DeadlineExceeded",
    "EndOfChannel",
    "ItemsLeft",
    "Kind",
    "Kinds",
    "LimitExceeded",
    "PermanentError",
    "ProducerFailed",
    "RateExceeded",
    "StreamIncomplete",
    "SupervisorGaveUp",
    "TransientError",
    "UnlostError",
    "UnwantedResult",
    "UsageError",
    "attach_attempts",
    "attach_errors",
    "attached",
    "attempts",
    "causes",
    "classify",
    "default_kinds",
    "extend_kinds",
    "forget",
    "group_of",
    "headline",
    "leaves",
    "move_history",
    "rebuild",
    "recall",
    "remember",
    "retry_after",
    "split",
    "status_of",
    "translate",
    "walk",
]
