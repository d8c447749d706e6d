"""A sparkline: when the errors of one group came. The style has its size: five hundred of them must be short."""

from __future__ import annotations

from typing import Final

from unlost.report._report import SLICES, ErrorGroup, Report
from unlost.report.html._times import clock

_BARS: Final = 20
_EACH: Final = SLICES // _BARS
_WIDTH: Final = 3
_HEIGHT: Final = 16


def spark(report: Report, group: ErrorGroup) -> str:
    """Return a small picture; nothing where the times are not known."""
    if not any(group.hits) or report.began is None:
        return ""
    bars = [sum(group.hits[start : start + _EACH]) for start in range(0, SLICES, _EACH)]
    most = max(bars)
    path = "".join(_drawn(place, bar, most) for place, bar in enumerate(bars) if bar)
    peak = clock(report, bars.index(most) * _EACH)
    return f'<svg role="img" aria-label="most after {peak}"><path d="{path}"/></svg>'


def _drawn(place: int, bar: int, most: int) -> str:
    return f"M{_WIDTH * place + 1} {_HEIGHT}v-{max(2, round(bar * _HEIGHT / most))}"
