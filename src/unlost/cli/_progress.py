"""Progress on standard error: a line drawn at 4 Hz on a terminal, elsewhere a plain line every 10 s."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from unlost.batch import Run
from unlost.cli._streams import write
from unlost.report import clock_time, rate

ON_TERMINAL = 0.25
"""Seconds between two drawings on a terminal."""

ELSEWHERE = 10.0
"""Seconds between two lines where there is none."""

ERASE = "\r\x1b[K"


@contextmanager
def progress_of(run: Run, *, drawn: bool) -> Iterator[None]:
    """
    Show the progress of ``run`` on standard error until the block ends.

    Args:
        run: Which is open.
        drawn: There is a terminal: the line is drawn over and over, and in the end nothing is left of it.
    """
    stream = sys.stderr
    loop = asyncio.get_running_loop()
    started = loop.time()
    interval = ON_TERMINAL if drawn else ELSEWHERE
    timer: asyncio.TimerHandle

    def tick() -> None:
        nonlocal timer
        text = line_of(run, loop.time() - started)
        write(stream, f"{ERASE}{text[: _room(stream)]}" if drawn else f"unlost: {text}\n")
        timer = loop.call_later(interval, tick)

    timer = loop.call_later(interval, tick)
    try:
        yield
    finally:
        timer.cancel()
        if drawn:
            write(stream, ERASE)


def line_of(run: Run, seconds: float) -> str:
    """Return where the run stands in a line."""
    progress = run.progress
    of = f"of {progress.known:,}" if progress.scanned else f"of {progress.known:,} or more"
    parts = [
        f"{progress.ok:,} ok · {progress.failed:,} failed · {progress.running:,} running  {of}",
        clock_time(seconds),
        rate(progress.done - progress.done_before, seconds),
    ]
    if progress.retries:
        parts.append(f"{progress.retries:,} {'retry' if progress.retries == 1 else 'retries'}")
    return "   ".join(parts)


def _room(stream: TextIO) -> int | None:
    """Return how much fits in a line: one that the terminal wraps cannot be erased."""
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except OSError:  # the terminal is gone
        return None
    return width - 1 if width > 0 else None  # 0: one that does not say
