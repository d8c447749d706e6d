"""The event loop of a process that runs jobs: none can end it by an exit in one of its own tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from unlost._core._report import report


def run_to_its_end(main: Coroutine[Any, Any, None]) -> None:  # Any: what it yields and is sent, asyncio's own affair
    """
    Run ``main`` as ``asyncio.run`` does, whatever its tasks raise.

    ``SystemExit`` and ``KeyboardInterrupt`` in a task that a job started come out of the loop itself, before whoever
    awaits that task is told (cpython#102572). With ``asyncio.run`` the process would end there, other items and all:
    with exit code 0, if that is what was raised. Here it is reported and the loop goes on: then the job is told.

    ``main`` handles signals by itself: a ``KeyboardInterrupt`` is nobody's Ctrl-C while it runs.

    Raises:
        KeyboardInterrupt, SystemExit: What was raised before ``main`` began, or by what it left behind.
    """
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        tasks: list[asyncio.Task[None]] = []

        async def known() -> None:
            task: asyncio.Task[None] | None = asyncio.current_task()
            assert task is not None
            tasks.append(task)
            await main

        running: Coroutine[Any, Any, None] | asyncio.Task[None] = known()
        while True:
            try:
                return loop.run_until_complete(running)
            except (KeyboardInterrupt, SystemExit) as escaped:
                if not tasks or tasks[0].done():
                    raise
                running = tasks[0]
                report(escaped, f"a job's task or callback raised {type(escaped).__name__}; the run goes on")
