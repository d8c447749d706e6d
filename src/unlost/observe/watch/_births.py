"""Which trackers of a collector are still there, for who wants to know whether to wait for their verdicts."""

from __future__ import annotations

from typing import Final
from weakref import ref

from unlost.observe.watch._tracker import Tracker

_MOST_DEAD: Final = 1_000


class Births:
    """The trackers that were made for a collector, without keeping any of them alive."""

    def __init__(self) -> None:
        self._trackers: list[ref[Tracker]] = []
        self._room = _MOST_DEAD

    def add(self, tracker: Tracker) -> None:
        """Take down a tracker that was just made; what is dead goes now and then."""
        self._trackers.append(ref(tracker))
        if len(self._trackers) > self._room:
            self._trackers = [known for known in self._trackers if known() is not None]
            self._room = 2 * len(self._trackers) + _MOST_DEAD

    def alive(self) -> list[Tracker]:
        """Return those that have not given their verdicts."""
        return [tracker for known in self._trackers if (tracker := known()) is not None and not tracker.is_over]
