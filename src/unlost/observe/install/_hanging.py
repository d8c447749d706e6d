"""Who waits for what, to the logger ``unlost``: when nothing moves any more, and whenever SIGUSR1 asks."""

from __future__ import annotations

import logging
import signal
from math import inf
from typing import Final

from unlost._core.hooks import Undo, on_request
from unlost.errors import UsageError
from unlost.observe.tasks import Ends, Stalled, hang_report
from unlost.observe.tasks._guarded import guarded
from unlost.observe.watch import Collector

_ASKS: Final = getattr(signal, "SIGUSR1", None)  # there is none on Windows


def seconds_of(hang: object) -> float | None:
    """
    Return what was given as ``hang``.

    Raises:
        UsageError: It is no number of seconds above 0.
    """
    if hang is None:
        return None
    if isinstance(hang, bool) or not isinstance(hang, int | float) or not 0 < hang < inf:
        raise UsageError(f"hang={hang!r} is no number of seconds above 0. Write hang=30.")
    return float(hang)


def tell_hangs(collector: Collector, ends: Ends, seconds: float) -> Undo:
    """Tell it each time that no task has made a step for so long; ``ends`` are those of ``watch_tasks``."""
    return Stalled(guarded(collector, _log), seconds, ends, collector.fault, collector.note).stop


def tell_on_request(collector: Collector, ends: Ends) -> Undo:
    """Tell it for each SIGUSR1, where nothing else has taken that; main thread only."""
    if _ASKS is None:
        return lambda: None
    return on_request(_ASKS, guarded(collector, lambda: _log(hang_report(ends=ends))))


def _log(text: str) -> None:
    logging.getLogger("unlost").warning("%s", text.rstrip("\n"))
