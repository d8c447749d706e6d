"""
The processes of a watched program: what they find is told once, by the first of them.

Each writes what it finds as it goes (``_letters``), and the first reads that when it ends. A process that goes on
longer, or whose first one is gone, tells by itself what nobody has read.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from threading import Lock
from typing import Final

from unlost.observe.install._heard import Heard, take, unheard
from unlost.observe.install._letters import PROGRAM, STARTED, Letters
from unlost.observe.install._reader import is_forsaken, remove
from unlost.observe.install._running import Running
from unlost.observe.install._started import Starts
from unlost.observe.watch import Finding, Notice

ELSEWHERE: Final = "a process that the program started"

_WHO: Final = "the program"
_EVERY: Final = 100  # processes that are started until letters are read, so that few files are there at once


class Processes:
    """
    Those that this one starts, and those that they start.

    Args:
        running: The watching of this process; it has to be told with ``settle`` when the verdicts have fallen.
        module: Whose ``begin`` is called in a spawned process, with the folder that it has to give here.
        folder: Where the first process reads; empty in that one itself.
    """

    def __init__(self, running: Running, module: str, folder: str = "") -> None:
        self._running = running
        self._process = os.getpid()
        self._heard = Heard(_WHO)
        self._folder = folder or self._heard.folder
        self._letters = Letters(folder, "", _all) if folder else None
        self._hearing = Lock()
        self._unsent: Counter[str] = Counter()  # what was started, and nobody else was told of
        running.collector.is_prompt = bool(folder)  # it may be killed, or end by os._exit
        fault = running.collector.fault
        starts = Starts(self._folder, self._starting, self._count, self._forked, fault, module)
        running.collector.listeners.append(self._found)
        running.leave_processes_to(starts.watch, self.unheard)

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
                self._hear(last=True)
                return True
            if not is_forsaken(self._folder):
                return not self._letters.end(self._running.collector)
            self._letters.withdraw()
            remove(self._folder)
        except Exception as fault:  # counted: what was found has to be told  # noqa: BLE001
            self._running.collector.fault(fault)
        return True

    def unheard(self) -> Counter[str]:
        """Return how many did not tell of their end, or are not watched, by the sentence that says so."""
        if self.is_first:
            return self._heard.unseen()
        return unheard(_WHO, self._unsent[STARTED], self._unsent[PROGRAM])

    def _starting(self) -> None:
        if self._letters is None:
            self._heard.prepare()
            if self._heard.counts[STARTED] % _EVERY == _EVERY - 1:
                self._hear(last=False)

    def _count(self, kind: str) -> None:
        if self._letters is None:
            self._heard.counts[kind] += 1
        elif not self._letters.send(kind):
            self._unsent[kind] += 1

    def _forked(self) -> None:
        """Begin anew in a forked process, as one that is not the first."""
        self._unsent.clear()
        self._running.collector.is_prompt = True
        self._letters = Letters(self._folder, "", _all)

    def _found(self, one: Finding | Notice) -> None:
        if self._letters is not None:
            self._letters.found(one)

    def _hear(self, *, last: bool) -> None:
        if not self._heard.counts or not self._hearing.acquire(blocking=last):
            return
        try:
            for one in self._letters_of_all(last=last):
                take(self._running.collector, one, ELSEWHERE)
        except OSError:  # the folder could not be made, or was taken: who is not heard is counted
            return
        except Exception as fault:  # counted: this may be somebody's fork  # noqa: BLE001
            self._running.collector.fault(fault)
        finally:
            self._hearing.release()

    def _letters_of_all(self, *, last: bool) -> Iterator[Finding | Notice]:
        collector = self._running.collector
        for _, found in self._heard.close(collector) if last else self._heard.hear(collector):
            yield found


def _all(_: Finding | Notice) -> bool:
    return True
