"""Progress as the extra ``rich`` draws it: a bar, the time left, and the counts. The only file that imports it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from unlost.batch import Run
from unlost.cli._progress import ON_TERMINAL, line_of


@contextmanager
def progress_of(run: Run) -> Iterator[None]:
    """Draw the progress of ``run`` on standard error until the block ends; then nothing of it is left."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    bar = Progress(
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,  # its own thread would draw while the loop is busy, and count nothing new
    )
    timer: asyncio.TimerHandle

    def tick() -> None:
        nonlocal timer
        progress = run.progress
        total = progress.known if progress.scanned else None
        bar.update(task, description=line_of(run, loop.time() - started), completed=progress.done, total=total)
        bar.refresh()
        timer = loop.call_later(ON_TERMINAL, tick)

    with bar:
        task = bar.add_task("", total=None)
        timer = loop.call_later(ON_TERMINAL, tick)
        try:
            yield
        finally:
            timer.cancel()
