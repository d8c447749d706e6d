"""The timeline: errors over the time of the report, the largest groups by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from unlost.report._report import SLICES, Report
from unlost.report.html._text import brief
from unlost.report.html._times import clock

_ALONE: Final = 5  # groups with a colour of their own
_HEIGHT: Final = 100
_NAME: Final = 90


class _Series(NamedTuple):
    name: str
    hits: Sequence[int]


def timeline(report: Report) -> Iterator[str]:
    """Yield the picture, its legend and the same as a table; nothing where the times are not known."""
    series = [one for one in _series(report) if any(one.hits)]
    if not series or report.began is None:
        return
    totals = [sum(one.hits[place] for one in series) for place in range(SLICES)]
    most = max(totals)
    peak = clock(report, totals.index(most))
    yield '<section aria-labelledby="when"><h2 id="when">When</h2>\n<figure>'
    yield (
        f'<svg class="line" role="img" aria-label="Errors over time, most ({most:,}) after {peak}; the table below has '
        f'the numbers" viewBox="0 0 {10 * SLICES} {_HEIGHT}" preserveAspectRatio="none">'
    )
    yield from _paths(series, most)
    yield f'</svg>\n<p class="axis"><span>{clock(report, 0)}</span><span>at most {most:,} at a time</span>'
    yield f'<span>{clock(report, SLICES)}</span></p>\n<figcaption><ul class="legend">'
    for number, one in enumerate(series):
        yield f'<li><i class="swatch s{number}"></i>{one.name}</li>'
    yield "</ul></figcaption></figure>\n"
    yield from _table(report, series, totals)
    yield "</section>\n"


def _series(report: Report) -> Iterator[_Series]:
    timed = [(number, group) for number, group in enumerate(report.groups, 1) if group.hits]
    alone = sorted(timed, key=lambda pair: -pair[1].count)[:_ALONE]
    for number, group in alone:
        yield _Series(f"#{number} {brief(group.title, _NAME)}", group.hits)
    others = [group.hits for number, group in timed if (number, group) not in alone]
    if others:
        yield _Series(f"{len(others):,} others", [sum(column) for column in zip(*others, strict=True)])


def _paths(series: Sequence[_Series], most: int) -> Iterator[str]:
    floor = [float(_HEIGHT)] * SLICES
    for number, one in enumerate(series):
        path = []
        for place, count in enumerate(one.hits):
            if count:
                height = count * _HEIGHT / most
                floor[place] -= height
                path.append(f"M{10 * place} {floor[place]:.1f}h9v{height:.1f}h-9z")
        yield f'<path class="s{number}" d="{"".join(path)}"/>'


def _table(report: Report, series: Sequence[_Series], totals: Sequence[int]) -> Iterator[str]:
    yield '<details><summary>The same as a table</summary><table class="times"><thead><tr>'
    yield '<th scope="col">from</th><th scope="col">errors</th><th scope="col">most of them</th></tr></thead><tbody>'
    for place, total in enumerate(totals):
        if total:
            worst = max(series, key=lambda one: one.hits[place])
            name = worst.name.partition(" ")[0] if worst.name.startswith("#") else worst.name
            yield f'<tr><th scope="row">{clock(report, place)}</th><td>{total:,}</td><td>{name}</td></tr>'
    yield "</tbody></table></details>\n"
