"""A report as text, for people."""

from __future__ import annotations

from collections.abc import Iterator

from unlost.observe._headline import headline
from unlost.observe._place import base_name
from unlost.observe._render import render
from unlost.observe._text import printable
from unlost.observe.sinks._report import HELD_BACK, REPORTED, Report
from unlost.observe.watch import Site


def text_of(report: Report) -> str:
    """Return the report as lines without a final newline, the first of which tells most."""
    return printable("\n".join(_lines(report)))


def _lines(report: Report) -> Iterator[str]:
    if report.repeats:
        yield _count(report)
        return
    yield f"{report.what}{_tag(report)}"
    if report.error is not None:
        yield render(report.error)
    elif report.site is not None:
        yield f"  at {_spot(report.site)}"
    if report.origin is not None:
        yield from _task(report.origin.task, report.origin.spawned)


def _count(report: Report) -> str:
    if report.verdict == HELD_BACK:
        return report.what
    what = headline(report.error, alone=False) if report.error is not None else report.verdict
    told = report.what.replace("and more", f"and {report.repeats:,} more")
    number = "" if told != report.what else f"{report.repeats:,} "
    seconds = f" in {report.seconds:,.0f} s" if report.seconds >= 1 else ""
    return f"{number}{told}{seconds}: {what}{_tag(report)}"


def _tag(report: Report) -> str:
    verdict = "" if report.verdict == REPORTED or not report.error else f"{report.verdict} "
    return f"  [{verdict}{report.fingerprint}]" if report.digest else ""


def _task(name: str, spawned: tuple[Site, ...]) -> Iterator[str]:
    if not name:
        yield from (f"  submitted at {_spot(site)}" for site in spawned)
        return
    started = f", started at {_spot(spawned[0])}" if spawned else ""
    yield f"  in task {name!r}{started}"
    for site in spawned[1:]:
        yield f"    by a task started at {_spot(site)}"


def _spot(site: Site) -> str:
    return f"{base_name(site.file)}:{site.line} in {site.function}"
