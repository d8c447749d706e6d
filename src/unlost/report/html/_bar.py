"""The verdict bar: how many ended how."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlost.report._report import Report, Tally
from unlost.report.html._text import safe

_WIDTH: Final = 1000
_LEAST: Final = 12  # one error among a million can be seen, too


def bar(report: Report) -> Iterator[str]:
    """Yield the bar as a picture, and the same as a list."""
    shown = [tally for tally in report.tallies if tally.count]
    words = ", ".join(f"{tally.count:,} {tally.name}" for tally in shown) or f"no {report.unit[1]}"
    yield (
        f'<svg class="bar" role="img" aria-label="{safe(words)}" viewBox="0 0 {_WIDTH} 24" preserveAspectRatio="none">'
    )
    start = 0
    for tally, width in zip(shown, _widths(shown), strict=True):
        yield f'<rect class="{tally.tone}" x="{start}" width="{max(width - 2, 1)}" height="24"/>'
        start += width
    yield '</svg>\n<ul class="tallies">'
    for tally in report.tallies:
        yield f'<li><i class="swatch {tally.tone}"></i><b>{tally.count:,}</b> {safe(tally.name)}</li>'
    yield "</ul>\n"


def _widths(tallies: list[Tally]) -> list[int]:
    total = sum(tally.count for tally in tallies)
    widths = [max(_LEAST, tally.count * _WIDTH // total) for tally in tallies]
    if widths:
        widest = widths.index(max(widths))
        widths[widest] += _WIDTH - sum(widths)
    return widths
