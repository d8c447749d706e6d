"""Progress on standard error: a line drawn at 4 Hz on a terminal, elsewhere a plain line every 10 s."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from unlost.batch import Run
from unlost.report import clock_time, rate

ON_TERMINAL = 0.25
"""Seconds between two drawings on a terminal."""

ELSEWHERE = 10.0
"""Seconds between two lines where there is none."""


@contextmanager
def progress_of(run: Run, *, quiet: bool) -> Iterator[None]:
    """Show the progress of ``run`` until the block ends."""
    stream = sys.stderr
    if quiet or stream is None:
        yield
        return
    loop = asyncio.get_running_loop()
    started = loop.time()
    drawn = stream.isatty()
    timer: asyncio.TimerHandle

    def tick() -> None:
        nonlocal timer
        text = line_of(run, loop.time() - started)
        stream.write(f"\r\x1b[K{text}" if drawn else f"unlost: {text}\n")
        stream.flush()
        timer = loop.call_later(ON_TERMINAL if drawn else ELSEWHERE, tick)

    timer = loop.call_later(ON_TERMINAL if drawn else ELSEWHERE, tick)
    try:
        yield
    finally:
        timer.cancel()
        if drawn:
            stream.write("\r\x1b[K")
            stream.flush()


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
        parts.append(f"{progress.retries:,} retries")
    return "   ".join(parts)
