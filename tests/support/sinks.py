"""Sinks for tests, and errors to give them."""

from __future__ import annotations

import threading

from unlost.observe.sinks import Report


class Kept:
    """Keeps what it is given, and by which thread."""

    def __init__(self, *, waits: bool = False) -> None:
        self.waits = waits
        self.reports: list[Report] = []
        self.threads: list[str] = []
        self.closed = 0

    def emit(self, report: Report) -> None:
        self.reports.append(report)
        self.threads.append(threading.current_thread().name)

    def close(self) -> None:
        self.closed += 1

    @property
    def told(self) -> list[str]:
        return [report.what for report in self.reports]


class Broken(Kept):
    """Raises ``error`` for the first ``times`` reports."""

    def __init__(self, error: BaseException, times: float = float("inf"), *, waits: bool = False) -> None:
        super().__init__(waits=waits)
        self.error = error
        self.times = times
        self.calls = 0

    def emit(self, report: Report) -> None:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        super().emit(report)


class Stuck(Kept):
    """Waits in each call until ``free`` is set."""

    def __init__(self) -> None:
        super().__init__(waits=True)
        self.free = threading.Event()
        self.entered = threading.Event()

    def emit(self, report: Report) -> None:
        self.entered.set()
        assert self.free.wait(20)
        super().emit(report)


class Clock:
    """Time that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def raised(error: BaseException) -> BaseException:
    """Return the error as it is after it was raised."""
    try:
        raise error
    except BaseException as caught:
        try:
            return caught
        finally:
            del error  # else its own traceback would keep it alive
