"""
The processes of a watched program: what they find is told once, by the first of them.

Each writes what it finds as it goes (``_letters``), and the first reads that, in a thread of its own, and to the end
when it ends. A process that goes on longer tells by itself what nobody has read. Where the first one is gone without a
word, the next that ends tells what all have written.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from contextlib import suppress
from threading import Event
from typing import Final

from unlost._core.hooks import Undo, aside_from_all, before_own_end, together
from unlost.observe.install._heard import Heard, take, unheard
from unlost.observe.install._letters import NOT_STARTED, PROGRAM, STARTED, Letters
from unlost.observe.install._reader import forsaken_for_a_day, is_forsaken
from unlost.observe.install._running import Running
from unlost.observe.install._started import Starts
from unlost.observe.tasks import Ticker
from unlost.observe.tasks._guarded import guarded
from unlost.observe.watch import ALIKE, EVERY, Finding, Notice

ELSEWHERE: Final = "a process that the program started"

_WHO: Final = "the program"
_SECONDS: Final = 1.0  # between two looks for letters
_PORTION: Final = 100  # letters, of which none waits for a fork


class Processes:
    """
    Those that this one starts, and those that they start.

    Args:
        running: The watching of this process; it has to be told with ``settle`` when the verdicts have fallen.
        module: Whose ``begin`` is called in a spawned process, with the folder that it has to give here.
        folder: Where the first process reads; empty in that one itself.

    Attributes:
        was_interrupted: Whether Ctrl-C came while the first process read for the last time. It reads no more then.
    """

    def __init__(self, running: Running, module: str, folder: str = "") -> None:
        self._running = running
        self._process = os.getpid()
        self.was_interrupted = False
        self._module = module
        self._letters = Letters(folder, "", _all, ALIKE) if folder else None
        self._unsent: Counter[str] = Counter()  # what was started, and nobody else was told of
        self._formerly: Counter[str] = Counter()  # unheard when it was to end, and went on after all
        self._is_watched = self._ends_itself = False
        self._begin(folder)
        collector = running.collector
        collector.is_prompt = bool(folder)  # it may be killed, or end by os._exit
        collector.listeners.append(self._found)
        collector.counted = self._counted
        running.leave_processes_to(self._watch, self.unheard)

    def _begin(self, folder: str = "") -> None:
        fault = self._running.collector.fault
        self._is_last = False
        self._heard = Heard(_WHO, os.path.dirname(folder), _PORTION, self._is_to_go_on)
        self._folder = folder or self._heard.folder
        self._starts = Starts(self._folder, self._starting, self._count, self._forked, fault, self._module)
        self._ticker = None if folder else Ticker(self._look, _SECONDS, fault, in_children=False)

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that tells."""
        return self._letters is None and os.getpid() == self._process

    def settle(self) -> bool:
        """
        Take in what the processes told that this one is the first of; or tell the first one what there is.

        Returns:
            Whether what is in the collector now is to be told here: it is the first one's, or nobody has read it.
        """
        try:
            if self._letters is None:
                if not self.is_first:  # forked while a session of tests heard of that, which tells
                    return False
                if self._heard.counts:
                    self._hear_the_last()
                return True
            if not is_forsaken(self._folder):
                return not self._letters.end(self._running.collector)
            self._letters.withdraw()
            if self._heard.adopt(self._folder):
                self._hear_the_last()
        except Exception as fault:  # counted: what was found has to be told  # noqa: BLE001
            self._running.collector.fault(fault)
        return True

    def unheard(self) -> Counter[str]:
        """Return how many did not tell of their end, or are not watched, by the sentence that says so."""
        if self.is_first:
            return self._formerly + self._heard.unseen()
        unsent = self._unsent
        return self._heard.unseen() + unheard(_WHO, unsent[STARTED] - unsent[NOT_STARTED], unsent[PROGRAM])

    def _watch(self) -> Undo:
        if self._ticker is None:
            return self._starts.watch()
        if self._is_watched:  # in another folder: who has found the former one closed tells by itself
            self._formerly += self._heard.unseen()
            self._begin()
        else:
            collector = self._running.collector
            self._own_end = before_own_end(guarded(collector, self._end_itself), guarded(collector, self._go_on))
        self._is_watched = True
        return together([self._starts.watch(), self._leave_own_end, self._ticker.stop])

    def _end_itself(self, name: str) -> None:
        self._ends_itself = True
        self._running.terminate(name)

    def _go_on(self, name: str) -> None:
        self._ends_itself = False
        self._running.go_on(name)

    def _leave_own_end(self) -> None:
        if not self._ends_itself:  # it may be refused, and tried again (``os.execvp`` does)
            self._own_end()

    def _starting(self) -> None:
        if self._letters is None:
            self._heard.prepare()

    def _count(self, kind: str) -> None:
        if self._letters is None:
            self._heard.counts[kind] += 1
        elif not self._letters.send(kind):
            self._unsent[kind] += 1

    def _forked(self) -> None:
        """Begin anew in a forked process, as one that is not the first."""
        self._unsent.clear()
        self._formerly.clear()
        self._running.collector.is_prompt = True
        self._letters = Letters(self._folder, "", _all, ALIKE)
        place = os.path.dirname(self._folder)
        self._heard = Heard(_WHO, place, _PORTION, self._is_to_go_on)  # others', where the first one is gone

    def _found(self, one: Finding | Notice) -> None:
        if self._letters is not None:
            skipped = self._letters.skipped
            self._letters.found(one)
            if self._letters.skipped > skipped and skipped % EVERY == 0:
                self._counted()

    def _counted(self) -> None:
        if self._letters is not None:
            self._letters.count(self._running.collector)

    def _is_to_go_on(self) -> bool:
        return not self.was_interrupted if self._is_last or self._ticker is None else not self._ticker.is_stopping

    def _look(self, _now: float) -> None:
        self._hear(last=False)

    def _hear_the_last(self) -> None:
        """
        Hear in a thread of our own, as what a signal raises comes up in this one.

        It ends the hearing, and nothing else: what was heard is told, and what was not stays where it is.
        """
        self._is_last = True
        heard = Event()
        try:
            try:
                aside_from_all(lambda: self._hear_and(heard))
                heard.wait()
            except RuntimeError:  # no thread starts any more
                self._hear(last=True)
        except BaseException as interruption:  # Ctrl-C, or what a handler of the program's raises  # noqa: BLE001
            self.was_interrupted = True
            if not isinstance(interruption, KeyboardInterrupt):
                self._running.collector.fault(interruption)
            heard.wait(_SECONDS)

    def _hear_and(self, heard: Event) -> None:
        try:
            self._hear(last=True)
        finally:
            heard.set()

    def _hear(self, *, last: bool) -> None:
        if not last and not self._heard.counts:
            return
        collector = self._running.collector
        try:
            for _, found in self._heard.close(collector) if last else self._heard.hear(collector):
                take(collector, found, ELSEWHERE)
            if last:
                _remove_what_nobody_reads(os.path.dirname(self._folder))
        except OSError:  # the folder could not be made, or was taken: who is not heard is counted
            return
        except Exception as fault:  # counted: the others have to be told  # noqa: BLE001
            collector.fault(fault)


def _remove_what_nobody_reads(place: str) -> None:
    """Remove the letters of programs of which every process was killed, a day after."""
    with suppress(OSError):
        for folder in forsaken_for_a_day(place):
            shutil.rmtree(folder, ignore_errors=True)


def _all(_: Finding | Notice) -> bool:
    return True
