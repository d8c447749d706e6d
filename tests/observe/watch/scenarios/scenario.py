"""What the programs of this folder are made of, and who runs them: ``scenario.py KIND`` prints what was found."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import io
import json
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from unlost.observe import watch
from unlost.observe.tasks import watch_tasks

THEMES = ("handlers", "tasks", "outermost", "held", "between", "groups", "cancellations", "threads")

Program = Callable[[], Coroutine[None, None, object]]

log = logging.getLogger("scenario")


async def boom(after: float = 0) -> None:
    await asyncio.sleep(after)
    raise ValueError("x")


async def settle() -> None:
    """Give others 10 ms, in steps: a busy machine takes one of them away, and the others have their turns."""
    for _ in range(10):
        await asyncio.sleep(0.001)


def expect(*verdicts: str) -> Callable[[Program], Program]:
    """Say what is to be found; where it ends stands on the line with ``# ends here``. The test reads both."""

    def mark(program: Program) -> Program:
        program.verdicts = verdicts  # type: ignore[attr-defined]
        return program

    return mark


def right(program: Program) -> Program:
    """Say that nothing is to be found."""
    return expect()(program)


def programs() -> dict[str, Program]:
    found = {}
    for theme in THEMES:
        module = importlib.import_module(theme)
        found.update({name: one for name, one in vars(module).items() if hasattr(one, "verdicts")})
    return found


class _Reporter(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            watch.reported(record.exc_info[1], "logging")


def _heard(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if (error := context.get("exception")) is not None:
        if "never retrieved" in context["message"]:
            watch.never_retrieved(error)
        else:
            watch.reported(error, "loop")


def _loop(kind: str) -> asyncio.AbstractEventLoop:
    if kind == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    loop = asyncio.new_event_loop()
    if kind == "eager":
        loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
    return loop


def _run(program: Program, kind: str) -> dict[str, object]:
    collector = watch.Collector()
    watching = watch.start(collector)
    watching.hear_loops()
    around = watch_tasks(watching) if watching.mode == "boundary" else None  # there it is all the evidence
    loop = _loop(kind)
    loop.set_exception_handler(_heard)
    try:
        loop.run_until_complete(program())
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    gc.collect()
    if around is not None:
        around.stop()
    watching.stop()
    return {
        "found": sorted(f"{one.verdict.value}{' cancellation' * one.cancellation}" for one in collector.findings),
        "ends": sorted({one.site.line for one in collector.findings if one.site is not None}),
        "files": sorted({one.site.module for one in collector.findings if one.site is not None}),
        "raised": sorted({one.raised.function for one in collector.findings if one.raised is not None}),
        "counts": {verdict.value: count for verdict, count in collector.counts.items()},
        "faults": dict(collector.faults),
    }


if __name__ == "__main__":
    sys.modules["scenario"] = sys.modules["__main__"]
    log.propagate = False
    log.addHandler(_Reporter())
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        results = {name: _run(program, sys.argv[1]) for name, program in programs().items()}
    json.dump(results, sys.stdout)
