"""Progress as the extra ``rich`` renders it: a bar and colours. The only file that imports it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress_bar import ProgressBar
from rich.text import Text

from unlost.batch import Run
from unlost.cli._facts import Facts
from unlost.cli._progress import on_terminal
from unlost.report import shortened, width

_BAR = (10, 40)  # cells of the bar, at least and at most
_GAP = "   "


@contextmanager
def progress_of(run: Run) -> Iterator[None]:
    """Draw the progress of ``run`` on standard error until the block ends; then nothing of it is left."""
    stream = sys.stderr
    console = Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def layout(facts: Facts, lines: int, cells: int) -> list[str]:
        return [_rendered(console, *parts) for parts in _lines(facts, cells)][:lines]

    with on_terminal(run, stream, layout):
        yield


def _lines(facts: Facts, cells: int) -> Iterator[tuple[RenderableType, ...]]:
    yield _bar(facts, cells)
    for row in _flowed((facts.counts, *facts.speed), cells):
        yield (Text(row),)
    if facts.pause:
        yield (Text(_both(facts.pause, facts.next_try, cells), "yellow"),)
    if facts.blocked:
        yield (Text(shortened(facts.blocked, cells), "yellow"),)
    for count, title, where in facts.errors:
        shown = shortened(_GAP.join(filter(None, (f"{count} {title}", where))), cells)
        yield Text(shown[: len(count)], "red"), Text(shown[len(count) :])


def _bar(facts: Facts, cells: int) -> tuple[RenderableType, ...]:
    share = f"{facts.done / facts.total:.0%} " if facts.total else ""
    text = shortened(_GAP.join(filter(None, (f"{share}{facts.of}", facts.left))), cells)
    room = min(_BAR[1], cells - width(text) - 1)
    if room < _BAR[0]:
        return (Text(text),)
    bar = ProgressBar(total=facts.total, completed=facts.done, width=room)
    return Text(f"{text} "), bar  # in this order: without colours the bar is only as long as what is done


def _flowed(parts: Iterable[str], cells: int) -> Iterator[str]:
    """Yield the parts in as few rows as they fit into, in order."""
    row = ""
    for part in parts:
        longer = f"{row}{_GAP}{part}" if row else part
        if row and width(longer) > cells:
            yield shortened(row, cells)
            longer = part
        row = longer
    if row:
        yield shortened(row, cells)


def _both(text: str, end: str, cells: int) -> str:
    """Shorten the text so that its end is seen."""
    return shortened(text, cells - width(end)) + end if cells - width(end) >= _BAR[0] else shortened(text, cells)


def _rendered(console: Console, *parts: RenderableType) -> str:
    with console.capture() as captured:
        console.print(*parts, sep="", end="")
    return captured.get()
