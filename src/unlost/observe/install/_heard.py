"""What the session hears of the processes that its tests start."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Final

from unlost.observe.install._letters import BEGAN, ENDED, FOUND, PROGRAM, STARTED, TOLD, read_letters
from unlost.observe.install._summary import NUMBER
from unlost.observe.watch import Collector, Finding, Notice

UNHEARD: Final = (
    "Processes that tests started, and that did not tell of their end (killed, os._exit, another program by then, "
    f"still running): {NUMBER}. What they lost last is not known."
)
PROGRAMS: Final = (
    f"Python programs that tests started by subprocess: {NUMBER}. They are not watched from here; "
    "`unlost watch` in front of such a program says there what it loses."
)

_list = os.listdir  # as it is now: a test may put another in its place


class Heard:
    """
    The letters of one session.

    Attributes:
        counts: How many processes and programs the session itself started, by the kinds of letters that say so.
    """

    def __init__(self, folder: str) -> None:
        self.counts: Counter[str] = Counter()
        self._folder = folder
        self._read: dict[str, _Read] = {}

    def hear(self, total: Collector) -> Iterator[tuple[str, Finding | Notice]]:
        """Yield what was found since, each with its test; ``total`` gets what the processes counted that have ended."""
        for name in sorted(_list(self._folder)):
            read = self._read.setdefault(name, _Read())
            for one in read.more(os.path.join(self._folder, name), total):
                yield read.test, one

    def unseen(self) -> Counter[str]:
        """Return how many were not watched, or not to their ends, by the sentence for that."""
        read = self._read.values()
        started = self.counts[STARTED] + sum(one.counts[STARTED] for one in read)
        programs = self.counts[PROGRAM] + sum(one.counts[PROGRAM] for one in read)
        return +Counter({UNHEARD: started - sum(one.has_ended for one in read), PROGRAMS: programs})


class _Read:
    """What was read of one process's letters."""

    def __init__(self) -> None:
        self.test = ""
        self.counts: Counter[str] = Counter()
        self.has_ended = False
        self._position = 0

    def more(self, file: str, total: Collector) -> list[Finding | Notice]:
        found: list[Finding | Notice] = []
        for (kind, content), position in read_letters(file, self._position):
            self._position = position
            self.counts[kind] += 1
            if kind == BEGAN:
                self.test = content
            elif kind == FOUND:
                found.append(content)
            elif kind == ENDED:
                total.take_counts(content)
            elif kind == TOLD:
                found.clear()
            self.has_ended = self.has_ended or kind in (ENDED, TOLD)
        return found
