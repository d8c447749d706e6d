"""
The evidence about one exception, which lives as long as that, and gives the verdict when it dies.

It hangs in the exception's own ``__dict__`` and never refers to it. What is shared with a copy of the exception is the
copy's too: the verdict comes when both are gone.
"""

from __future__ import annotations

from types import CodeType
from typing import Final

from unlost.errors import recall, remember
from unlost.observe._text import module_of, text_of, type_name
from unlost.observe.watch._collector import QUIET, Collector
from unlost.observe.watch._sites import Spot, site_at, site_of, spots_of
from unlost.observe.watch._verdict import Finding, Origin, Verdict

KEY: Final = "tracker"
TEXT: Final = 500


class Tracker:
    """
    Attributes:
        state: What it would come to if it died now.
        code: Whose handler has it, or had it last; None where none has.
        depth: Of that handler.
        by: Who waits for the task that it left.
        is_final: Whether nothing later can change the verdict: it was told somebody, or is part of another one.
    """

    __slots__ = ("_collector", "_line", "_origin", "_spots", "_text", "_type", "by", "code", "depth", "is_final", "state")

    def __init__(self, collector: Collector, error: BaseException) -> None:
        self.state = Verdict.UNKNOWN
        self.code: CodeType | None = None
        self.depth = 0
        self.by = ""
        self.is_final = False
        self._collector = collector
        self._line = 0
        self._origin: Origin | None = None
        self._spots: tuple[Spot, ...] = ()
        self._type = type(error)
        self._text = ""

    def entered(self, code: CodeType, line: int, depth: int, *, swallows: bool, error: BaseException) -> None:
        """Note that a handler has it."""
        if self.is_final:
            return
        self.code, self._line, self.depth = code, line, depth
        if swallows:
            self.state = Verdict.SWALLOWED
            self._look_at(error)
        else:
            self.state = Verdict.HANDLED

    def went_on(self, code: CodeType) -> None:
        """Note that the handler which had it let it go on."""
        if self.code is code and not self.is_final:
            self.state = Verdict.UNKNOWN
            self.code = None

    def left(self, origin: Origin, by: str, state: Verdict, error: BaseException) -> None:
        """Note that it left a task, and who waits for that."""
        if self.is_final:
            return
        self.state, self.by, self.code = state, by, None
        self._origin = origin
        self._look_at(error)

    def settle(self, verdict: Verdict) -> None:
        """Note what it came to, whatever happens later."""
        self.state = verdict
        self.is_final = True

    def never_retrieved(self) -> None:
        """Note that its task died and nobody had asked."""
        if not self.is_final:
            self.state, self.by = Verdict.LOST, ""

    def _look_at(self, error: BaseException) -> None:
        self._spots = spots_of(error.__traceback__)
        if not self._text:
            self._text = text_of(error)[:TEXT]

    def finding(self, verdict: Verdict | None = None) -> Finding:
        """Return what is known."""
        name = f"{module_of(self._type)}.{type_name(self._type)}".removeprefix("builtins.")
        frames = tuple(site_of(spot) for spot in self._spots)
        site = site_at(self.code, self._line) if self.code is not None else None
        return Finding(verdict or self.state, name, self._text, frames, site, self.by, self._origin)

    def __del__(self) -> None:
        collector = self._collector
        try:
            if self.state in QUIET:
                collector.count(self.state)
            elif self.state is Verdict.UNKNOWN:
                collector.count(self.state)
            else:
                collector.add(self.finding())
        except Exception as fault:  # counted: a finalizer has nobody to tell  # noqa: BLE001
            collector.fault(fault)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, ("",)


def tracker_of(error: BaseException) -> Tracker | None:
    """Return the tracker of an exception that was looked at before."""
    found = recall(error, KEY)
    return found if type(found) is Tracker else None


def tracked(error: BaseException, collector: Collector) -> Tracker:
    """Return the tracker of an exception; it gets one if it has none."""
    tracker = tracker_of(error)
    if tracker is None:
        tracker = Tracker(collector, error)
        remember(error, KEY, tracker)
    return tracker
