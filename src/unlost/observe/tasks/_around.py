"""Everything by which a program is watched around its tasks, put on at once and taken away at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from unlost._core._report import on_reports
from unlost._core.hooks import (
    Making,
    Undo,
    before_own_signal,
    before_termination,
    last_uncaught,
    on_futures,
    on_loops,
    on_records,
    on_unawaited,
    on_uncaught,
    records_are_heard,
    together,
    with_origins,
)
from unlost.observe.tasks._asked import note_asked
from unlost.observe.tasks._boundary import at_boundaries
from unlost.observe.tasks._died import Died
from unlost.observe.tasks._ends import Ends
from unlost.observe.tasks._feeds import note_feeders
from unlost.observe.tasks._guarded import guarded
from unlost.observe.tasks._loop_errors import LoopErrors
from unlost.observe.tasks._ticker import Ticker
from unlost.observe.tasks._told import LogRecords
from unlost.observe.tasks._unawaited import Unawaited
from unlost.observe.watch import Watch, held_by, is_reported, reported, taken

_EVERY: Final = 2.0
_COMPREHENSIONS: Final = 0 if sys.version_info >= (3, 12) else 3  # frames of their own, within a function's
_UNHEARD: Final = (
    "The factory of log records was replaced by one that does not call the one before: "
    "what was logged since is not known to be reported."
)


class Around:
    """
    What ``watch_tasks`` has put on.

    Attributes:
        ends: How tasks ended that nobody asked; for ``hang_report``.
        unseen: What could not be seen, a sentence each; complete once it is stopped.
    """

    def __init__(
        self, watch: Watch, died_after: float, say: Callable[[str], object] | None, origins: int, *, only_own: bool
    ) -> None:
        collector = watch.collector
        self.ends = Ends()
        self.unseen: list[str] = []
        self._is_over = False
        records = LogRecords()
        in_boundary_mode = watch.mode != "monitoring"
        making = at_boundaries(collector.fault) if in_boundary_mode else Making(fault=collector.fault)
        self._undo = together(
            [
                on_loops(LoopErrors(collector, records, self.ends).around, making),
                on_uncaught(guarded(collector, reported)),
                on_records(guarded(collector, records.made)),
                on_unawaited(guarded(collector, Unawaited(collector).died)),
                on_futures(lambda error, spot: held_by(error, "a concurrent future", spot), taken, collector.fault),
                on_reports(lambda error: reported(error, "unlost")),
                note_asked(collector),
                note_feeders(collector),
                with_origins(origins + _COMPREHENSIONS if origins else 0),
            ]
        )
        self._watch = watch
        self._last = id(last_uncaught())
        watch.hear_loops()
        self._end = _before_the_end(guarded(collector, say), only_own=only_own) if say is not None else _nothing
        look = guarded(collector, Died(collector, died_after).look)
        self._ticker = Ticker(look, min(_EVERY, died_after), collector.fault)

    def hear_the_last(self) -> None:
        """Take what ended the program for reported, though ``sys.excepthook`` was replaced; before the watch stops."""
        guarded(self._watch.collector, self._look_at_last)()

    def stop(self) -> None:
        """Take everything away again; a second call does nothing."""
        self._ticker.stop()
        self._end()
        if not self._is_over:
            self._is_over = True
            guarded(self._watch.collector, self._look_at_records)()
        self._undo()
        self._watch.hear_loops(False)

    def _look_at_last(self) -> None:
        last = last_uncaught()
        if last is not None and id(last) != self._last and not is_reported(last):
            reported(last, "sys.excepthook")

    def _look_at_records(self) -> None:
        if not records_are_heard():
            self.unseen.append(_UNHEARD)


def watch_tasks(
    watch: Watch,
    *,
    died_after: float = 10.0,
    say: Callable[[str], object] | None = None,
    origins: int = 0,
    only_own: bool = False,
) -> Around:
    """
    Watch what is around the tasks of this process: loops, hooks, log records, futures, coroutines.

    Args:
        watch: What goes on; in its boundary mode the ends of tasks are what it is told of.
        died_after: For how many seconds nobody may have asked for the error of a task that is still referred to, before
            there is a notice; above 0.
        say: Called with the name of a signal that is about to end the process, so that ``atexit`` does not run: a
            SIGTERM or SIGHUP that nothing else handles (put on in the main thread only), or one that the process sends
            itself. None leaves them alone.
        origins: How many frames each coroutine notes when it is made, so that one that is never awaited can say where
            that was; 0 costs nothing, and says where it was dropped.
        only_own: Whether ``say`` is called for the process's own signals only, and no handler is set.
    """
    return Around(watch, died_after, say, origins, only_own=only_own)


def _before_the_end(say: Callable[[str], object], *, only_own: bool) -> Undo:
    own = before_own_signal(say)
    return own if only_own else together([before_termination(say), own])


def _nothing() -> None:
    """Have nothing to take away."""
