"""The watching of a process that a test has spawned, for the session of tests that is in another one."""

from __future__ import annotations

from unlost.observe.install._letters import Letters
from unlost.observe.install._running import is_off, join
from unlost.observe.install._serious import is_of_session
from unlost.observe.install._started import Starts
from unlost.observe.watch import Collector, Finding, Notice


def begin(folder: str, test: str) -> None:
    """
    Watch this process to its end, and tell the session.

    Args:
        folder: Where the session looks for letters.
        test: Which started it.
    """
    if not is_off():
        _Spawned(folder, test)


class _Spawned:
    def __init__(self, folder: str, test: str) -> None:
        self._letters = Letters(folder, test, is_of_session)
        collector = Collector()
        collector.listeners.append(self._found)
        running = join(lambda: collector, origins=1, takes_signals=False)
        running.is_quiet = True
        running.leaving.append(lambda: self._letters.end(running.collector))
        self._starts = Starts(folder, _nothing, lambda kind: self._letters.send(kind), self._forked, collector.fault)
        self._starts.test = test
        self._starts.watch()

    def _found(self, one: Finding | Notice) -> None:
        self._letters.found(one)

    def _forked(self) -> None:
        self._letters = Letters(self._letters.folder, self._starts.test, is_of_session)


def _nothing() -> None:
    """Leave the folder to the session: it may be over."""
