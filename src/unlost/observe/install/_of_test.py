"""What is found of one test's, and of none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from unlost.observe.install._serious import is_others
from unlost.observe.watch import Births, Collector, Finding, Futures, Notice, finish_held

_RUNS_TESTS: Final = ("pytest", "_pytest", "pluggy", "xdist")


def is_counted(found: Finding | Notice) -> bool:
    """
    Say whether it ended badly in code that is neither the user's nor of who runs the tests.

    pytest swallows by the dozen while it looks for what to show of a failure.
    """
    module = found.site.module if found.site is not None else ""
    return is_others(found) and not module.startswith(_RUNS_TESTS)


class OfTest(Collector):
    """What is found of one test's."""

    def __init__(self) -> None:
        super().__init__()
        self._births = Births()
        self.born = self._births.add

    def retire(self) -> bool:
        """Give the good verdicts; say whether an exception is left that may come to another one."""
        for tracker in self._births.alive():
            tracker.retire()
        return bool(self._births.alive())

    def finish_lost(self) -> None:
        """Give the verdict on what asyncio said of that it was lost: pytest keeps what it logged until later."""
        for tracker in self._births.alive():
            if tracker.is_lost():
                tracker.finish()

    def finish(self, futures: Callable[[], Futures]) -> None:
        """Give the verdict on each exception of the test's that somebody still holds; ``futures`` returns all."""
        finish_held(self._births.alive(), futures, self.fault)

    def may_end_badly(self) -> bool:
        """Say whether one is that there would be something to tell of if it died now."""
        return any(tracker.may_end_badly() for tracker in self._births.alive())


class OfNone(OfTest):
    """
    What is found outside of all tests.

    Attributes:
        current: The collector of the test that runs, which what is found around tasks is handed on to; itself if none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.current: Collector = self

    def note(self, notice: Notice) -> None:
        if self.current is self:
            super().note(notice)
        else:
            self.current.note(notice)
