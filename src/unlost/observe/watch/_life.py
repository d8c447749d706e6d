"""
When an exception is gone.

In which order a collection of garbage finalizes what it found is not settled, and the task that the exception left may
be found with it, whose end tells that nobody asked. So the verdict waits until all of that is finalized, which is when
what was found is cleared.
"""

from __future__ import annotations

import sys
from typing import Final

from unlost.observe.watch._tracker import Tracker


class Life:
    """What hangs in an exception beside the evidence, and dies with the last of its copies."""

    __slots__ = ("_after", "_tracker")

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def __del__(self) -> None:
        tracker = self._tracker
        if tracker.was_left and sys.getrefcount(self) > _LAST and tracker.may_be_unasked():
            self._after = _After(tracker)
        else:
            tracker.die()

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, ("",)

    def __deepcopy__(self, _memo: object) -> Life:
        return self


class _After:
    """What is made while garbage is finalized, and cleared with that."""

    __slots__ = ("_tracker",)

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def __del__(self) -> None:
        self._tracker.die()


class _Probe:
    __slots__ = ()

    def __del__(self) -> None:
        _counted.append(sys.getrefcount(self))


_counted: list[int] = []
_probe = _Probe()
del _probe
_LAST: Final = _counted[0]
"""As a finalizer counts them where the last one has just gone; what is found as garbage has those of other garbage."""
