"""The one watching of a process that all who asked for it share."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable
from functools import partial
from threading import Event, RLock
from typing import Final

from unlost._core._hooks import at_exit
from unlost._core._report import tell
from unlost._core.hooks import Undo, at_end_of_child, hold_termination, on_fork
from unlost.observe._leaving import line_of
from unlost.observe.install._elsewhere import count_processes
from unlost.observe.install._hanging import tell_on_request
from unlost.observe.install._serious import ENDED_UNSEEN, is_bad, is_own
from unlost.observe.install._summary import (
    NONE,
    all_in,
    blind_spots,
    kept_by,
    misnamed,
    missed_by,
    sentences,
    summary_of,
)
from unlost.observe.patch import Patch
from unlost.observe.sinks._open import close_all, close_at_exit
from unlost.observe.tasks import watch_tasks
from unlost.observe.watch import TERMINATED, Collector, Notice, leave_to_parent, start

_REPLACED: Final = (
    "Another program takes the place of this one by {}, unless that is refused. It is not watched: `unlost watch` in "
    "front of a Python program says there what it loses."
)
_OFF: Final = frozenset({"off", "0", "no", "false"})

_lock = RLock()  # a signal handler may end what the main thread is about to begin


def is_off() -> bool:
    """Say whether the environment turns everything off: ``UNLOST=off``; ``0``, ``no`` and ``false`` say the same."""
    return os.environ.get("UNLOST", "").strip().lower() in _OFF


class Running:
    """
    Attributes:
        collector: Has what was found.
        watch, around: What is put on.
        patch: What was put on besides, where that was asked for.
        leaving: Called once, in order, when the verdicts have fallen.
        is_quiet: Whether somebody else tells the counts at the end.
        is_child: Whether this process was forked since it began.
    """

    def __init__(
        self, collector: Collector, origins: int, *, takes_signals: bool = True, hears_own_signals: bool = False
    ) -> None:
        self.collector = collector
        self.users = 0
        self.leaving: list[Callable[[], object]] = []
        self.is_quiet = False
        self.is_child = False
        self.patch: Patch | None = None
        self._told = Event()
        self._is_over = False
        self._ended_by = ""
        self._takes_signals = takes_signals
        say = self.terminate if takes_signals or hears_own_signals else None
        self._watch_tasks = partial(watch_tasks, say=say, only_own=not takes_signals, origins=origins)
        counts: Counter[str] = Counter()
        self._elsewhere: Callable[[], Counter[str]] = lambda: counts
        self._hear: Callable[[], Undo] = partial(count_processes, counts, collector.fault)
        self._put_on()

    def _put_on(self) -> None:
        self.watch = start(self.collector)
        try:
            self.around = self._watch_tasks(self.watch)
        except BaseException:
            self.watch.stop()
            raise
        self._uncount = self._hear()
        self._unask = tell_on_request(self.collector, self.around.ends) if self._takes_signals else _nothing

    def leave_processes_to(self, watch: Callable[[], Undo], unseen: Callable[[], Counter[str]]) -> None:
        """
        Let another hear of the processes that this one starts.

        Args:
            watch: Begins that, again where it goes on after all (``go_on``); returns what ends it.
            unseen: Returns how many of them were not heard, by the sentence for that.
        """
        self._uncount()
        self._hear, self._elsewhere = watch, unseen
        self._uncount = watch()

    def terminate(self, name: str) -> None:
        """Finish, as a signal or a call is about to end the process; say so where errors are held, but only counted."""
        self.finish(partial(self._terminated, name))
        self._told.wait()  # another thread may be about it
        close_all()

    def go_on(self, name: str) -> None:
        """
        Watch on, as the call for which all was finished (``terminate``) has not ended the process.

        The counts go on, and are told once more at the end. Nothing is done where it was finished for another reason.
        """
        global _running  # as below
        with _lock:
            if self._ended_by != name:
                return
            if _running is not None:
                tell(f"unlost: {name} has not ended the process. What is found from here on is told apart.\n")
                return
            self._ended_by = ""
            self._told = Event()
            self._is_over = False
            _running = self
            _forget_terminated(self.collector)
            self._put_on()

    def finish(self, and_then: Callable[[Collector, int], object] | None = None) -> None:
        """
        Give the last verdicts, and take everything away; a second call does nothing.

        Args:
            and_then: Called once they have fallen, and before it is told, with how many had only been counted before.
        """
        global _running  # one for each process, as there is one interpreter
        with _lock:
            if self._is_over:
                return
            self._is_over = True
            if _running is self:
                _running = None
        let_go = hold_termination()
        try:
            self._finish(and_then)
        finally:
            self._told.set()
            let_go()

    def _terminated(self, name: str, collector: Collector, before: int) -> None:
        self._ended_by = name
        _note_terminated(name, collector, before)

    def _finish(self, and_then: Callable[[Collector, int], object] | None) -> None:
        before = _only_counted(self.collector) if and_then is not None else 0
        self._unask()
        self._uncount()
        self.around.hear_the_last()
        self.watch.stop()
        self.around.stop()
        if and_then is not None:
            and_then(self.collector, before)
        for leave in tuple(self.leaving):
            try:
                leave()
            except Exception as fault:  # printed: the others have to be told, and the program has to end  # noqa: BLE001
                tell(f"unlost: telling what was found raised {line_of(fault)}\n")
        if not self.is_quiet:
            # what went well is there for who asks for it; what may have cost a verdict is never silent
            level = logging.WARNING if self._is_worth_telling() else logging.INFO
            logging.getLogger("unlost").log(level, "%s", self._counts())

    def unseen(self) -> list[str]:
        """Return a sentence for each thing that could not be seen, was let go, or could not be put on."""
        return [
            *blind_spots(self.collector, self.watch.why),
            *self.around.unseen,
            *sentences(self._elsewhere()),
            *([_REPLACED.format(self._ended_by)] if self._ended_by.startswith("os.exec") else ()),
            *(missed_by(self.patch) if self.patch else ()),
            *([] if self.is_child else misnamed()),
        ]

    def summary(self) -> list[str]:
        """Return a line for each verdict, each kind of notice, and what was kept that asyncio drops."""
        return [*summary_of(self.collector), *(kept_by(self.patch) if self.patch else ())]

    def _is_worth_telling(self) -> bool:
        failed = self.patch is not None and any(missed_by(self.patch))
        is_misnamed = not self.is_child and bool(misnamed())
        return failed or is_misnamed or bool(self.collector.faults) or any(map(is_bad, all_in(self.collector)))

    def _counts(self) -> str:
        counts = ", ".join(" ".join(line.split()) for line in self.summary()) or NONE
        return "\n".join([f"what became of the exceptions: {counts}", *self.unseen()])


def _note_terminated(name: str, collector: Collector, before: int) -> None:
    count = _only_counted(collector) - before
    if count > 0:
        errors = "1 error was" if count == 1 else f"{count:,} errors were"
        why = "in the code of libraries, or alike and beyond the first of a place"
        text = f"{name} ended the process while {errors} held that nobody is told of otherwise: {why}"
        collector.note(Notice(TERMINATED, text))


def _forget_terminated(collector: Collector) -> None:
    """Take back that the process was ended."""
    del collector.noted[TERMINATED]
    others = [one for one in collector.notices if one.kind != TERMINATED]
    collector.notices.clear()
    collector.notices.extend(others)


def _only_counted(collector: Collector) -> int:
    """Return how many errors ended with nobody to ask for them, and are not told one by one."""
    told = sum(found.verdict in ENDED_UNSEEN and is_own(found) for found in tuple(collector.findings))
    return sum(collector.counts[verdict] for verdict in ENDED_UNSEEN) - told


def join(
    collector: Callable[[], Collector] = Collector,
    origins: int = 0,
    *,
    takes_signals: bool = True,
    hears_own_signals: bool = False,
) -> Running:
    """
    Return the watching of this process, begun if there was none; to be left as often.

    ``takes_signals``: where nothing else takes them, SIGTERM and SIGHUP tell before the end, and SIGUSR1 who waits.
    ``hears_own_signals``: so does, without that too, a signal by which the process ends itself; no handler is set.
    """
    global _running, _is_hooked  # as above
    with _lock:
        if _running is None:
            _running = Running(collector(), origins, takes_signals=takes_signals, hears_own_signals=hears_own_signals)
        if not _is_hooked:
            _is_hooked = True
            at_exit(_let_go)  # first, and so last
            at_end_of_child(_let_go)
            close_at_exit()  # what is told at the end goes to sinks, too
            at_exit(_finish)
            at_end_of_child(_finish)
            on_fork(_NOTHING, _NOTHING, _begin_anew)
        _running.users += 1
        return _running


def leave(running: Running) -> None:
    """Let go of it; it ends with the last one."""
    with _lock:
        running.users -= 1
        is_last = running.users == 0
    if is_last:
        running.finish()


def _finish() -> None:
    """Tell what is left, at the end of the process; a signal waits for that, and for the sinks to be closed."""
    global _held  # as above
    if (running := _running) is not None:
        _held = hold_termination()
        running.finish()


def _let_go() -> None:
    _held()


def _begin_anew() -> None:
    """Forget, in a forked child, what the parent will tell."""
    if (running := _running) is not None:
        running.is_child = True
        running.collector.begin_anew()
        leave_to_parent()


def _nothing() -> None:
    """Have nothing to put away before a fork."""


_NOTHING: Final = _nothing
_held: Undo = _nothing
_running: Running | None = None
_is_hooked = False
