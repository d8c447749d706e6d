"""A sink and how it fares."""

from __future__ import annotations

from asyncio import CancelledError

from unlost.observe.sinks._report import Report
from unlost.observe.sinks._sink import Sink, name_of, waits


class Outlet:
    """
    Attributes:
        name: Of the sink.
        waits: Whether it is called in a thread of ours.
        failing: Whether it could not take the last report.
        failures: How many it could not take in all.
        why: What it raised last, in a line as it may leave.
        unfit: How many were not given to it, for want of room in the queue.
        is_closed: Whether it takes no more.
    """

    def __init__(self, sink: Sink) -> None:
        self.name = name_of(sink)
        self.waits = waits(sink)
        self.failing = False
        self.failures = 0
        self.why = ""
        self.unfit = 0
        self.is_closed = False
        self._sink = sink

    def give(self, report: Report) -> BaseException | None:
        """Let the sink take the report; return what it raised."""
        try:
            if report.context is None:
                self._sink.emit(report)
            else:
                # a copy: another sink may be in it at this moment, in another thread
                report.context.copy().run(self._sink.emit, report)
        except (Exception, CancelledError) as failure:  # returned: it is reported to the other sinks  # noqa: BLE001
            self.failing = True
            self.failures += 1
            return failure
        self.failing = False
        return None

    def close(self) -> BaseException | None:
        """Close the sink; return what it raised."""
        self.is_closed = True
        try:
            self._sink.close()
        except (Exception, CancelledError) as failure:  # returned: it is told by who closes  # noqa: BLE001
            return failure
        return None

    def begin_anew(self) -> None:
        """Forget, in a forked child, how it fared in the parent."""
        self.failing = False
        self.failures = self.unfit = 0
        self.why = ""

    def summary(self) -> str:
        """Return what it did not take in a line; empty where it took all."""
        if not (self.failures or self.unfit):
            return ""
        reports = "1 report" if self.failures == 1 else f"{self.failures:,} reports"
        lately = f"; lately: {self.why}" if self.why else ""
        return f"sink {self.name}: {reports} failed, {self.unfit:,} did not fit{lately}"
