"""
What became of every exception of a program that was not changed.

``start`` begins to watch; what is found goes to a ``Collector``. What cannot be seen from the interpreter's events is
said by those who see it: that somebody was told of an error (a log record, a hook, a loop's handler, a reporter) with
``reported``; that a task or future died and nobody had asked, with ``never_retrieved``; that an error was put where
somebody may ask for it, with ``left_task`` and ``held_by``, and that somebody did, with ``taken`` and ``taken_up``;
that it left the application, with ``owed``. ``during`` is for whom the code runs. In a forked process,
``leave_to_parent`` leaves the verdicts on what was there before to the parent.
All of them do nothing where nothing is watched, and never raise.
"""

from unlost.observe.watch._alive import alive
from unlost.observe.watch._births import Births
from unlost.observe.watch._collector import ALIKE, EVERY, MOST, Collector, Listener
from unlost.observe.watch._during import during
from unlost.observe.watch._finding import ErrorType, Finding, Origin, Site, ended_at
from unlost.observe.watch._futures import Futures
from unlost.observe.watch._held import finish_held
from unlost.observe.watch._notice import (
    DESTROYED,
    DIED,
    HANGS,
    LEAKED,
    LOOP_ERROR,
    NEVER_AWAITED,
    TERMINATED,
    Notice,
)
from unlost.observe.watch._sites import origin_of, site_of, spots_of
from unlost.observe.watch._tracked import is_inherited, leave_to_parent
from unlost.observe.watch._unknown import Unknown
from unlost.observe.watch._verdict import Verdict
from unlost.observe.watch._waiters import Waiter, waiter_of
from unlost.observe.watch._watch import (
    Watch,
    held_by,
    is_reported,
    left_task,
    left_to_asyncio,
    never_retrieved,
    owed,
    reported,
    start,
    taken,
    taken_up,
)

__all__ = [
    "ALIKE",
    "DESTROYED",
    "DIED",
    "EVERY",
    "HANGS",
    "LEAKED",
    "LOOP_ERROR",
    "MOST",
    "NEVER_AWAITED",
    "TERMINATED",
    "Births",
    "Collector",
    "ErrorType",
    "Finding",
    "Futures",
    "Listener",
    "Notice",
    "Origin",
    "Site",
    "Unknown",
    "Verdict",
    "Waiter",
    "Watch",
    "alive",
    "during",
    "ended_at",
    "finish_held",
    "held_by",
    "is_inherited",
    "is_reported",
    "leave_to_parent",
    "left_task",
    "left_to_asyncio",
    "never_retrieved",
    "origin_of",
    "owed",
    "reported",
    "site_of",
    "spots_of",
    "start",
    "taken",
    "taken_up",
    "waiter_of",
]
