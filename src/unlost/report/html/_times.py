"""Moments, as the file's maker would read them off a clock."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from unlost.report._report import SLICES, Report

_DAY: Final = 86_400
_MILLISECONDS: Final = len("12:34:56.789")


def moment(at: float) -> str:
    """Return a moment to the second, in a ``time`` element."""
    when = datetime.fromtimestamp(at).astimezone()
    return f'<time datetime="{when.isoformat(timespec="seconds")}">{when:%Y-%m-%d %H:%M:%S %Z}</time>'


def clock(report: Report, number: float) -> str:
    """Return when a slice of the report's time begins: the time of day, as exactly as it takes."""
    began, ended = report.began or 0.0, report.ended or 0.0
    when = datetime.fromtimestamp(began + (ended - began) * number / SLICES).astimezone()
    if ended - began > _DAY:
        return f"{when:%m-%d %H:%M}"
    return f"{when:%H:%M:%S}" if ended - began > SLICES else f"{when:%H:%M:%S.%f}"[:_MILLISECONDS]
