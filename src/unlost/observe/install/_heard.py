"""What is heard of the processes that tests, or a watched program, start."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace as changed
from itertools import islice
from typing import Final

from unlost.observe.install._letters import (
    BEGAN,
    COUNTED,
    ENDED,
    FOUND,
    NOT_STARTED,
    PROGRAM,
    STARTED,
    TOLD,
    read_letters,
)
from unlost.observe.install._reader import closed, is_running, this_process
from unlost.observe.install._summary import NUMBER
from unlost.observe.watch import Collector, Finding, Notice

TESTS: Final = "tests"

_UNHEARD: Final = (
    "Processes that {who} started, and that did not tell of their end (killed, os._exit, another program by then, "
    f"still running): {NUMBER}. What they lost last is not known."
)
_UNHEARD_HERE: Final = (
    "Processes that {who} started, and that did not tell of their end here (killed, os._exit, another program by then, "
    f"still running; or another user's by then, which prints a report of its own): {NUMBER}. What they lost last is "
    "not known here."
)
_PROGRAMS: Final = (
    f"Python programs that {{who}} started by subprocess: {NUMBER}. They are not watched from here; "
    "`unlost watch` in front of such a program says there what it loses."
)
_UNREAD: Final = f"Files in {{folder}} that were not read to their ends: {NUMBER}. They were left there."
UNHEARD: Final = _UNHEARD.replace("{who}", TESTS)

# as they are now: a test may put others in their places
_scan, _list, _stat = os.scandir, os.listdir, os.stat
_make, _move, _remove = os.mkdir, os.rename, os.remove


class Heard:
    """
    The letters of all processes that one has started, and of those that they start.

    A file is read where it has grown, and removed once its process is over: there may be thousands.

    Args:
        who: Started them, in a word or two.
        place: Where the folder is to be; where temporary files are, by default.
        most: How many letters are in memory at once.
        is_wanted: Asked from time to time whether to go on; what is left is read the next time.

    Attributes:
        folder: Where they are. It is made for the first process; nobody guesses its name.
        counts: How many processes and programs were started, by the kinds of letters that say so: by this process, and
            by those that have ended.
    """

    def __init__(
        self,
        who: str = TESTS,
        place: str = "",
        most: int = sys.maxsize,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        # the place is chosen now: a test may put another for such
        self.folder = os.path.join(place or _temporary(), f"unlost-{this_process()}-{os.urandom(8).hex()}")
        self.counts: Counter[str] = Counter()
        self._who = who
        self._most = most
        self._is_wanted = is_wanted
        self._read: dict[str, _Read] = {}
        self._unread = 0

    def prepare(self) -> None:
        """Make the folder, before a process is started; where that cannot be, who is not heard is counted."""
        with suppress(OSError):
            _make(self.folder, 0o700)

    def adopt(self, folder: str) -> bool:
        """Have the letters of another folder, that nobody reads; say whether nobody else has taken it."""
        for former in (folder, closed(folder)):
            with suppress(OSError):
                _move(former, self.folder)
                return True
        return False

    def clear(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self, total: Collector) -> Iterator[tuple[str, Finding | Notice]]:
        """
        Yield what was found since, for the last time, as ``hear`` does, and remove the folder if all was read.

        A process that goes on can send nothing more, and knows that.
        """
        moved = closed(self.folder)
        with suppress(OSError):  # on Windows, where somebody writes
            _move(self.folder, moved)
            self.folder = moved
        self._unread = len(_list(self.folder))
        yield from self.hear(total)
        names = _list(self.folder)
        self._unread = len([name for name in names if name not in self._read or self._read[name].is_open])
        if not self._unread:
            self.clear()
        for name in names if self._unread else ():  # somebody may take the others, and tell them
            if name in self._read and not self._read[name].is_open:
                _remove(os.path.join(self.folder, name))

    def hear(self, total: Collector) -> Iterator[tuple[str, Finding | Notice]]:
        """Yield what was found since, each with its test; ``total`` gets what the processes counted that have ended."""
        with _scan(self.folder) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
        for entry in entries:
            read = self._read.setdefault(entry.name, _Read())
            is_over = not is_running(entry.name.partition("-")[0])  # asked first: it writes no more while that is read
            try:
                while read.has_more(entry) and self._is_wanted():
                    for one in read.more(entry, total, self._most):
                        yield read.test, one
            except OSError:  # it has forbidden all to read what it makes, or removed it
                continue
            if read.is_open:
                return
            if is_over or read.is_over:
                read.forget()
                if read.is_over:  # it has said all: what it counted is enough
                    self.counts.update(self._read.pop(entry.name).counts)
                with suppress(OSError):
                    _remove(entry.path)

    def unseen(self) -> Counter[str]:
        """Return how many were not watched, or not to their ends, by the sentence for that."""
        told = sum((one.counts for one in self._read.values()), self.counts.copy())
        ended = self.counts[ENDED] + sum(one.has_ended for one in self._read.values())
        started = max(told[BEGAN], told[STARTED] - told[NOT_STARTED])
        unread = +Counter({_UNREAD.replace("{folder}", self.folder): self._unread})
        return unheard(self._who, started - ended, told[PROGRAM]) + unread


def _temporary() -> str:
    """Return the folder for temporary files, as this program would have it if it asked now; it may change that yet."""
    before = tempfile.tempdir
    try:
        return tempfile.gettempdir()
    except OSError:  # there is none that can be written: nothing is made, and who is not heard is counted
        return os.devnull
    finally:
        tempfile.tempdir = before


def unheard(who: str, processes: int, programs: int) -> Counter[str]:
    """Return how many of those that were started are not watched, or not to their ends, by the sentence for that."""
    text = _UNHEARD if who == TESTS else _UNHEARD_HERE
    return +Counter({text.replace("{who}", who): processes, _PROGRAMS.replace("{who}", who): programs})


def take(collector: Collector, found: Finding | Notice, where: str) -> None:
    """Let a collector have what another process found."""
    if isinstance(found, Notice):
        collector.noted[found.kind] += 1
        collector.dropped += len(collector.notices) == collector.notices.maxlen
        collector.notices.append(changed(found, during=found.during or where))
    else:
        collector.counts[found.verdict] += 1
        collector.dropped += len(collector.findings) == collector.findings.maxlen
        collector.findings.append(changed(found, during=found.during or where))


class _Read:
    """What was read of one process's letters."""

    def __init__(self) -> None:
        self.test = ""
        self.counts: Counter[str] = Counter()
        self.has_ended = False
        self.is_over = False
        self.is_open = True
        self._position = 0
        self._size = 0

    def has_more(self, file: os.DirEntry[str]) -> bool:
        """Say whether there is anything in the file that was not read."""
        self.is_open = self.is_open or _stat(file.path).st_size != self._size
        return self.is_open

    def more(self, file: os.DirEntry[str], total: Collector, most: int) -> Iterator[Finding | Notice]:
        """Yield what was found, of so many letters at most; what was not taken, comes again."""
        size = _stat(file.path).st_size
        letters = list(islice(read_letters(file.path, self._position), most))
        told = max((place for place, (letter, _) in enumerate(letters) if letter.kind == TOLD), default=-1)
        for place, ((kind, content), position) in enumerate(letters):
            if kind == FOUND and place > told:
                yield content
            elif kind == BEGAN:
                self.test = content
            elif kind in (COUNTED, ENDED):
                total.take_counts(content)
            self.counts[kind] += 1
            self._position = position
            self.is_over = self.is_over or kind == ENDED
            self.has_ended = self.has_ended or kind in (ENDED, TOLD)
        self.is_open = len(letters) == most
        self._size = size

    def forget(self) -> None:
        """Begin a new file of the same name at its beginning: whoever is gone from here may live elsewhere."""
        self._position = self._size = 0
