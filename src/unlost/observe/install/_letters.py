"""
What a process that a test started tells the session, in a file of its own.

Letter by letter, so that what was found is known though the process is killed. The file is opened for each: a process
may close all that it has open, and give the number to something of its own. Each letter begins a line, and ends it: the
next after one that a full disk has cut is whole.
"""

from __future__ import annotations

import os
import pickle
from binascii import a2b_base64, b2a_base64
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace as changed
from typing import Any, Final, NamedTuple

from unlost.observe._leaving import leaving
from unlost.observe._redact import redact
from unlost.observe.install._serious import is_bad
from unlost.observe.watch import Collector, Finding, Notice, Verdict

BEGAN: Final = "began"
"""The process is watched; with the test that started it."""
FOUND: Final = "found"
"""Something was found; with that."""
STARTED: Final = "started"
"""It started another process."""
PROGRAM: Final = "program"
"""It started a Python program by ``subprocess``."""
TOLD: Final = "told"
"""The tests go on in this process, and have told what came before."""
ENDED: Final = "ended"
"""It has told everything; with a collector that has its counts."""

_HOW: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_OWNERS: Final = 0o600

# as they are now: a test may put others in their places
_open, _write, _close, _reading = os.open, os.write, os.close, open


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

    Attributes:
        folder: Where all processes of the session have theirs.
    """

    def __init__(self, folder: str, test: str) -> None:
        self.folder = folder
        self._file = os.path.join(folder, f"{os.getpid()}-{os.urandom(4).hex()}")
        self._verdicts: Counter[Verdict] = Counter()
        self._kinds: Counter[str] = Counter()
        self._unsent = Collector()
        self.send(BEGAN, test)

    def send(self, kind: str, content: object = None) -> bool:
        """Write one, and say whether that was possible; where it was not, the last one says so, or it is missed."""
        line = b"\n" + b2a_base64(pickle.dumps((kind, content)))
        try:
            file = _open(self._file, _HOW, _OWNERS)
            try:
                written = _write(file, line)
            finally:
                _close(file)
            if written < len(line):
                raise OSError(f"{written} of {len(line)} bytes")
        except OSError as refused:
            self._unsent.fault(refused)
            return False
        return True

    def found(self, one: Finding | Notice) -> None:
        """Send what fails a test; a collector's listener."""
        if not is_bad(one) or not self.send(FOUND, _redacted(one)):
            return
        if isinstance(one, Notice):
            self._kinds[one.kind] += 1
        else:
            self._verdicts[one.verdict] += 1

    def end(self, collector: Collector) -> None:
        """Send the last one; who has read what was found has counted that."""
        counts = Collector()
        counts.take_counts(collector)
        counts.counts -= self._verdicts
        counts.noted -= self._kinds
        counts.take_counts(self._unsent)
        self.send(ENDED, counts)


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
        return changed(one, text=redact(one.text), origin=origin)
    return changed(one, text=leaving(one.text), during=redact(one.during), origin=origin)
