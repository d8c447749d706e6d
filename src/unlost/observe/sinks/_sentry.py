"""
Sentry as a sink, for the extra ``sentry``. The only file that imports it.

Sentry does not mark what it was sent: its own deduplication looks at the last exception only. So every exception that
passes through its event processors is marked here, with all that hangs beneath it, and is not sent a second time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final, cast

import sentry_sdk
from sentry_sdk.integrations.logging import ignore_logger, unignore_logger
from sentry_sdk.scope import add_global_event_processor
from sentry_sdk.types import Event, Hint

from unlost.errors import UsageError, recall, remember
from unlost.observe.sinks import _logging
from unlost.observe.sinks._report import SEEN_BY, Report
from unlost.observe.sinks._sentry_event import event_of
from unlost.observe.watch import reported

NAME: Final = "sentry"
_FLUSH: Final = 2.0
_MOST: Final = 100
_TOO_EARLY: Final = (
    "sink 'sentry': Sentry is not initialised yet. Write sentry_sdk.init(...) before unlost.install(...)."
)

_open = 0  # how many sinks there are: marks are left while there are any
_is_heeded = False  # or for good, where others are told what Sentry was not sent
_is_marking = False  # once for each process: a processor cannot be taken back


class Sentry:
    """
    Sends each report as an event, grouped by our fingerprint; what Sentry was sent by others is not sent again.

    While it is open, Sentry does not take what the logger ``unlost`` logs, which is the same. Scope and trace are those
    of the code that reported.
    """

    waits = True  # what users put into before_send may take its time

    def __init__(self) -> None:
        global _open
        _begin_marking()
        _open += 1
        ignore_logger(_logging.NAME)
        if not sentry_sdk.is_initialized():  # said, and no more: the program may do it later
            logging.getLogger(_logging.NAME).warning("%s", _TOO_EARLY)

    def emit(self, report: Report) -> None:
        if NAME in report.seen_by:
            return
        if not sentry_sdk.is_initialized():
            raise UsageError("Sentry is not initialised, or closed.\nWrite sentry_sdk.init(...) first.")
        sentry_sdk.capture_event(cast("Event", event_of(report)))

    def close(self) -> None:
        """Wait for what Sentry has still to send, 2 seconds at most."""
        global _open
        _open -= 1
        if not _open:
            unignore_logger(_logging.NAME)
        sentry_sdk.flush(timeout=_FLUSH)


def heed() -> None:
    """Take what Sentry is sent for reported from now on, without a sink of ours that sends to it."""
    global _is_heeded
    _begin_marking()
    _is_heeded = True


def _begin_marking() -> None:
    global _is_marking
    if not _is_marking:
        _is_marking = True
        add_global_event_processor(_mark)


def _mark(event: Event, hint: Hint | None) -> Event:
    info: Any = (hint or {}).get("exc_info")  # Any: whatever an integration puts there
    if (_open or _is_heeded) and isinstance(info, tuple) and len(info) == 3 and isinstance(info[1], BaseException):
        for error in _all(info[1]):
            remember(error, SEEN_BY, (NAME,))
        reported(info[1], NAME)
    return event


def _all(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what Sentry sends with it: causes, contexts, members; each once."""
    waiting = [error]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST:
        one = waiting.pop()
        if id(one) in seen or recall(one, SEEN_BY):
            continue
        seen.add(id(one))
        yield one
        members = one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        waiting.extend(beneath for beneath in (one.__cause__, one.__context__, *members) if beneath is not None)
