"""All that is known of an error, line by line: its traceback, what became of it, where its task came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from unlost.observe import ErrorRecord, Line, lines_of, short_path
from unlost.report._text import one_line

if TYPE_CHECKING:  # a run has no need of the observer
    from unlost.observe.watch import Origin, Site


def trace_of(error: ErrorRecord | None, origin: Origin | None = None, ended: str = "") -> Iterator[Line]:
    """
    Yield lines, what led to the error first.

    Args:
        error: None where there was no exception.
        origin: The task or call that it left.
        ended: What became of it, in a sentence.
    """
    if error is not None:
        yield from lines_of(error)
    if ended:
        yield Line("error", one_line(ended))
    if origin is not None:
        yield from _ancestry(origin)


def _ancestry(origin: Origin) -> Iterator[Line]:
    if not origin.task:
        yield Line("head", "In a call that was submitted")
        yield from (Line("own" if site.app else "folded", f"  at {_place(site)}") for site in origin.spawned)
        return
    yield Line("head", f"In task '{one_line(origin.task)}'" + (", which was started" if origin.spawned else ""))
    for depth, site in enumerate(origin.spawned):
        yield Line("own" if site.app else "folded", f"  {'by a task started ' if depth else ''}at {_place(site)}")


def _place(site: Site) -> str:
    return one_line(f"{short_path(site.file)}:{site.line} in {site.function}")
