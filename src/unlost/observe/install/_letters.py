"""
What a process tells the one that watches it from outside (a session of tests, ``unlost watch``), in a file of its own.

Letter by letter, so that what was found is known though the process is killed. The file is opened for each: a process
may close all that it has open, and give the number to something of its own. Each letter begins a line, and ends it: the
next after one that a full disk has cut is whole.
"""

from __future__ import annotations

import os
import pickle
import sys
from binascii import a2b_base64, b2a_base64
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace as changed
from typing import Any, Final, NamedTuple

from unlost._core.hooks import past_file_limit
from unlost.observe._leaving import leaving
from unlost.observe._redact import redact
from unlost.observe.install._reader import this_process
from unlost.observe.install._serious import is_bad
from unlost.observe.watch import MOST, Collector, Finding, Notice, Verdict

BEGAN: Final = "began"
"""The process is watched; with the test that started it, empty where none did."""
FOUND: Final = "found"
"""Something was found; with that."""
STARTED: Final = "started"
"""It started another process."""
NOT_STARTED: Final = "not started"
"""One of those processes could not be started after all."""
PROGRAM: Final = "program"
"""It started a Python program by ``subprocess``."""
TOLD: Final = "told"
"""The tests go on in this process, and have told what came before."""
COUNTED: Final = "counted"
"""It has found more than it tells one by one; with a collector that has the counts of that."""
ENDED: Final = "ended"
"""It has told everything; with a collector that has its counts."""

_HOW: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_OWNERS: Final = 0o600

# as they are now: a test may put others in their places
_open, _write, _close, _stat, _remove, _reading = os.open, os.write, os.close, os.stat, os.remove, open


class Letter(NamedTuple):
    """
    Attributes:
        kind: One of the above.
        content: What goes with it.
    """

    kind: str
    content: Any  # Any: of each kind another


class Letters:
    """
    Those of this process.

    Args:
        folder: Where all processes that are heard together have theirs.
        test: Which started it; empty where none did.
        choose: True for what is told with all that is known of it; the rest is counted in the last letter.
        alike: How many of one kind at one place are told so; the file of a process that goes on has bounds then.

    Attributes:
        folder: As given.
        skipped: How many were chosen, and are counted only.
    """

    def __init__(
        self, folder: str, test: str, choose: Callable[[Finding | Notice], bool] = is_bad, alike: int = sys.maxsize
    ) -> None:
        self.folder = folder
        self.skipped = 0
        self._choose = choose
        self._alike = alike
        self._of_place: Counter[tuple[object, ...]] = Counter()
        self._file = os.path.join(folder, f"{this_process()}-{os.urandom(4).hex()}")
        self._verdicts: Counter[Verdict] = Counter()  # what was sent, as all below
        self._kinds: Counter[str] = Counter()
        self._held_back = self._skipped = 0
        self._unsent = Collector()
        self.send(BEGAN, test)

    def send(self, kind: str, content: object = None) -> bool:
        """Write one, and say whether that was possible; where it was not, the last one says so, or it is missed."""
        line = b"\n" + b2a_base64(pickle.dumps((kind, content)))
        try:
            file = _open(self._file, _HOW, _OWNERS)
            try:
                written = past_file_limit(lambda: _write(file, line))
            finally:
                _close(file)
            if written < len(line):
                raise OSError(f"{written} of {len(line)} bytes")
            _stat(self.folder)  # what is written after who reads has moved it (``Heard.close``) may not have been read
        except OSError as refused:
            self._unsent.fault(refused)
            return False
        return True

    def withdraw(self) -> None:
        """Remove what nobody reads."""
        with suppress(OSError):
            _remove(self._file)

    def found(self, one: Finding | Notice) -> None:
        """Send what is chosen; a collector's listener."""
        if not self._choose(one):
            return
        if not self._has_room(one):
            self.skipped += 1
            return
        is_sent = self.send(FOUND, _redacted(one))
        if isinstance(one, Notice):
            self._kinds[one.kind] += is_sent
            self._unsent.notices.extend([] if is_sent else [one])
        else:
            self._verdicts[one.verdict] += is_sent
            self._unsent.findings.extend([] if is_sent else [one])

    def count(self, collector: Collector) -> None:
        """Send the counts of what was not sent: it may be long till the last letter, and who is killed writes none."""
        counts = Collector()
        counts.counts.update(collector.counts)
        del counts.counts[Verdict.UNKNOWN]  # that goes with its reasons
        counts.noted.update(collector.noted)
        counts.held_back = collector.held_back
        self._leave_unsent(counts)
        if self.send(COUNTED, counts):
            self._verdicts += counts.counts
            self._kinds += counts.noted
            self._held_back += counts.held_back
            self._skipped += counts.dropped

    def end(self, collector: Collector) -> bool:
        """
        Send the last one; who has read what was found has counted that.

        Where that cannot be, say so, and leave in the collector only what nobody was sent.
        """
        counts, refused = Collector(), self._unsent.faults.copy()
        counts.take_counts(collector)
        self._leave_unsent(counts)
        counts.faults += refused
        if self.send(ENDED, counts):
            return True
        counts.faults -= refused  # what could not be sent is told here, and nothing has failed
        collector.take_counts(counts)
        for left, unsent in ((collector.findings, self._unsent.findings), (collector.notices, self._unsent.notices)):
            left.clear()
            left.extend(unsent)  # type: ignore[arg-type]  # each pair is of one type
        return False

    def _leave_unsent(self, counts: Collector) -> None:
        counts.counts -= self._verdicts
        counts.noted -= self._kinds
        counts.held_back -= self._held_back
        counts.dropped = self.skipped - self._skipped

    def _has_room(self, one: Finding | Notice) -> bool:
        place = (one.kind, one.site) if isinstance(one, Notice) else (one.verdict, one.raised, one.site)
        self._of_place[place] += 1
        if len(self._of_place) > MOST:  # so many places: they are counted only
            del self._of_place[place]
        return 0 < self._of_place[place] <= self._alike


def read_letters(file: str, begin: int) -> Iterator[tuple[Letter, int]]:
    """Yield each whole letter of a file from a position on, and where the next begins; what is half written waits."""
    with _reading(file, "rb") as opened:
        opened.seek(begin)
        position = begin
        for line in opened:
            if not line.endswith(b"\n"):
                return
            position += len(line)
            try:
                kind, content = pickle.loads(a2b_base64(line))
            except (EOFError, pickle.UnpicklingError, ValueError):  # between two letters, or cut: who wrote it tells
                continue
            yield Letter(kind, content), position


def _redacted(one: Finding | Notice) -> Finding | Notice:
    origin = changed(one.origin, task=redact(one.origin.task)) if one.origin is not None else None
    if isinstance(one, Notice):
        return changed(one, text=redact(one.text), origin=origin, process=os.getpid())
    return changed(one, text=leaving(one.text), during=redact(one.during), origin=origin, process=os.getpid())
