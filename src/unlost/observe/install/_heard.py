"""What is heard of the processes that tests, or a watched program, start."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace as changed
from typing import Final

from unlost.observe.install._letters import BEGAN, ENDED, FOUND, PROGRAM, STARTED, TOLD, read_letters
from unlost.observe.install._reader import closed, this_process
from unlost.observe.install._summary import NUMBER
from unlost.observe.watch import Collector, Finding, Notice

TESTS: Final = "tests"

_UNHEARD: Final = (
    "Processes that {who} started, and that did not tell of their end (killed, os._exit, another program by then, "
    f"still running): {NUMBER}. What they lost last is not known."
)
_PROGRAMS: Final = (
    f"Python programs that {{who}} started by subprocess: {NUMBER}. They are not watched from here; "
    "`unlost watch` in front of such a program says there what it loses."
)
UNHEARD: Final = _UNHEARD.replace("{who}", TESTS)

# as they are now: a test may put others in their places
_scan, _make, _move, _remove, _kill = os.scandir, os.mkdir, os.rename, os.remove, os.kill


class Heard:
    """
    The letters of all processes that one has started, and of those that they start.

    A file is read where it has grown, and removed once its process is over: there may be thousands.

    Args:
        who: Started them, in a word or two.

    Attributes:
        folder: Where they are. It is made for the first process; nobody guesses its name.
        counts: How many processes and programs were started, by the kinds of letters that say so: by this process, and
            by those that have ended.
    """

    def __init__(self, who: str = TESTS) -> None:
        # the place is chosen now: a test may put another for such
        self.folder = os.path.join(_temporary(), f"unlost-{this_process()}-{os.urandom(8).hex()}")
        self.counts: Counter[str] = Counter()
        self._who = who
        self._read: dict[str, _Read] = {}

    def prepare(self) -> None:
        """Make the folder, before a process is started; where that cannot be, who is not heard is counted."""
        with suppress(OSError):
            _make(self.folder, 0o700)

    def clear(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self, total: Collector) -> Iterator[tuple[str, Finding | Notice]]:
        """
        Yield what was found since, for the last time, as ``hear`` does, and remove the folder.

        A process that goes on can send nothing more, and knows that.
        """
        moved = closed(self.folder)
        with suppress(OSError):  # on Windows, where somebody writes
            _move(self.folder, moved)
            self.folder = moved
        try:
            yield from self.hear(total)
        finally:
            self.clear()

    def hear(self, total: Collector) -> Iterator[tuple[str, Finding | Notice]]:
        """Yield what was found since, each with its test; ``total`` gets what the processes counted that have ended."""
        with _scan(self.folder) as scanned:
            entries = sorted(scanned, key=lambda entry: entry.name)
        for entry in entries:
            read = self._read.setdefault(entry.name, _Read())
            is_over = _is_gone(entry.name)  # asked first: it writes no more while its file is read
            for one in read.more(entry, total):
                yield read.test, one
            if is_over or read.is_over:
                read.forget()
                if read.is_over:  # it has said all: what it counted is enough
                    self.counts.update(self._read.pop(entry.name).counts)
                with suppress(OSError):
                    _remove(entry.path)

    def unseen(self) -> Counter[str]:
        """Return how many were not watched, or not to their ends, by the sentence for that."""
        read = self._read.values()
        started = self.counts[STARTED] + sum(one.counts[STARTED] for one in read)
        programs = self.counts[PROGRAM] + sum(one.counts[PROGRAM] for one in read)
        ended = self.counts[ENDED] + sum(one.has_ended for one in read)
        return unheard(self._who, started - ended, programs)


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
    return +Counter({_UNHEARD.replace("{who}", who): processes, _PROGRAMS.replace("{who}", who): programs})


def take(collector: Collector, found: Finding | Notice, where: str) -> None:
    """Let a collector have what another process found."""
    if isinstance(found, Notice):
        collector.noted[found.kind] += 1
        collector.dropped += len(collector.notices) == collector.notices.maxlen
        collector.notices.append(changed(found, text=f"{found.text}, in {where}"))
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
        self._position = 0
        self._size = 0

    def more(self, file: os.DirEntry[str], total: Collector) -> list[Finding | Notice]:
        found: list[Finding | Notice] = []
        size = file.stat().st_size
        if size == self._size:
            return found
        self._size = size
        for (kind, content), position in read_letters(file.path, self._position):
            self._position = position
            self.counts[kind] += 1
            if kind == BEGAN:
                self.test = content
            elif kind == FOUND:
                found.append(content)
            elif kind == ENDED:
                self.is_over = True
                total.take_counts(content)
            elif kind == TOLD:
                found.clear()
            self.has_ended = self.has_ended or kind in (ENDED, TOLD)
        return found

    def forget(self) -> None:
        """Begin a new file of the same name at its beginning: whoever is gone from here may live elsewhere."""
        self._position = self._size = 0


def _is_gone(name: str) -> bool:
    """Say whether the process that a file is named for has ended; on Windows nothing asks that without harm."""
    if os.name != "posix":
        return False
    try:
        _kill(int(name.partition("-")[0]), 0)
    except ProcessLookupError:
        return True
    except OSError:  # another user's by now
        return False
    return False
