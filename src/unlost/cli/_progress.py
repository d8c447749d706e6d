"""Progress on standard error: drawn at 4 Hz on a terminal and gone at the end; elsewhere a plain line every 10 s."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeAlias

from unlost.batch import Run
from unlost.cli._above import printed_above
from unlost.cli._facts import Facts, facts_of
from unlost.cli._pace import Pace
from unlost.cli._pauses import Pauses
from unlost.cli._screen import Screen
from unlost.cli._streams import write
from unlost.report import shortened

ON_TERMINAL = 0.25
"""Seconds between two drawings on a terminal."""

ELSEWHERE = 10
"""Seconds between two lines where there is none."""

Layout: TypeAlias = Callable[[Facts, int, int], list[str]]
"""From facts, and how many lines of how many cells there are, to the lines to draw."""


@contextmanager
def progress_of(run: Run, *, drawn: bool) -> Iterator[None]:
    """
    Show the progress of ``run`` on standard error until the block ends.

    Args:
        run: Which is open.
        drawn: There is a terminal: the line is drawn over and over, and in the end nothing is left of it.
    """
    stream = sys.stderr
    with on_terminal(run, stream, _one_line) if drawn else _elsewhere(run, stream):
        yield


@contextmanager
def on_terminal(run: Run, stream: TextIO, layout: Layout) -> Iterator[None]:
    """Draw the progress of ``run`` on a terminal until the block ends; what is printed meanwhile stands above it."""
    screen = Screen(stream)
    facts = _facts_now(run)
    with printed_above(screen, stream), _every(ON_TERMINAL, lambda: screen.draw(layout(facts(), *screen.size))):
        yield


def line_of(facts: Facts) -> str:
    """Return where the run stands in a line, what matters most first."""
    (_, *speed) = facts.speed
    worst = f"most: {' '.join(filter(None, facts.errors[0]))}" if facts.errors else ""
    pause = f"{facts.pause}{facts.next_try}" if facts.pause else ""
    parts = (f"{facts.counts}  {facts.of}", facts.elapsed, pause, *speed, facts.left, facts.blocked, worst)
    return "   ".join(filter(None, parts))


def _one_line(facts: Facts, _lines: int, cells: int) -> list[str]:
    return [shortened(line_of(facts), cells)]


@contextmanager
def _elsewhere(run: Run, stream: TextIO) -> Iterator[None]:
    facts, loop = _facts_now(run), asyncio.get_running_loop()
    pauses, ticks = Pauses(), 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        now = facts()
        progress = run.progress
        if said := pauses.look(progress.pause, progress.pause_until, loop.time()):
            write(stream, f"unlost: {said}\n")
        if ticks % ELSEWHERE == 0:
            write(stream, f"unlost: {line_of(now)}\n")

    with _every(1, tick):
        yield


def _facts_now(run: Run) -> Callable[[], Facts]:
    """Return what returns the facts; to be called now and then, for there is a rate in them."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    pace = Pace(began, run.progress.done)

    def facts() -> Facts:
        now = loop.time()
        pace.note(now, run.progress.done)
        return facts_of(run.progress, pace, now, began)

    return facts


@contextmanager
def _every(seconds: float, tick: Callable[[], None]) -> Iterator[None]:
    """Call ``tick`` again and again while the block runs, the first time after so many seconds."""
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def fire() -> None:
        nonlocal timer
        timer = loop.call_later(seconds, fire)
        tick()

    timer = loop.call_later(seconds, fire)
    try:
        yield
    finally:
        timer.cancel()
