"""Runs a program as it is, and says what became of each exception: ``unlost watch``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from unlost.cli._interrupted import Interrupted
from unlost.cli._program import load
from unlost.cli._streams import say
from unlost.cli._watch_found import SPAWNED, tell_found
from unlost.cli._watch_json import json_file, write_json
from unlost.errors import UsageError
from unlost.observe.install import is_off, join, leave
from unlost.observe.install._processes import Processes
from unlost.observe.install._running import Running
from unlost.observe.tasks import Stalled


def execute(arguments: argparse.Namespace) -> int:
    """
    Run the program to its end; return its exit code.

    Raises:
        Interrupted: Ctrl-C ended it; all is told by then.
    """
    file = json_file(arguments.json) if arguments.json is not None else None
    write_page = _page(arguments)
    if file is not None and arguments.report is not None and file.resolve() == Path(arguments.report).resolve():
        raise UsageError(f"--json and --report both name {arguments.json}. Name a file for each")
    hang = _seconds(arguments.hang)
    run = load(arguments.module, arguments.program)
    if is_off():
        say("unlost watch: nothing is watched, and nothing written: the environment turns it off (UNLOST)")
        return _ended(run())
    with ExitStack() as stack:
        running = join(origins=1)
        running.is_quiet = True
        processes = Processes(running, SPAWNED)
        bad: list[object] = []  # what --fail makes an exit code of

        def tell() -> None:
            if not processes.settle():
                return
            bad.extend(tell_found(running, processes))
            if processes.is_first and file is not None and not write_json(file, running):
                bad.append(file)

        def tell_page() -> None:
            if processes.is_first and not write_page(running):
                bad.append(arguments.report)

        running.leaving.append(tell)
        running.leaving.append(tell_page)
        stack.callback(running.finish)
        stack.callback(leave, running)
        if hang is not None:
            stack.callback(
                Stalled(say, hang, running.around.ends, running.collector.fault, running.collector.note).stop
            )
        code = run()
    if processes.was_interrupted:
        raise Interrupted
    return 1 if arguments.fail and bad and code == 0 else _ended(code)


def _ended(code: int | None) -> int:
    if code is None:
        raise Interrupted
    return code


def _page(arguments: argparse.Namespace) -> Callable[[Running], bool]:
    if arguments.report is None:
        return lambda _running: True
    from unlost.cli._watch_page import page_writer  # loads the reports, which the program has no need of

    return page_writer(arguments)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    from unlost.batch.options._durations import seconds  # loads the batch runner, which the program has no need of

    try:
        read = seconds(text)
    except ValueError as unreadable:
        raise UsageError(f"--hang {text}: {unreadable}") from unreadable
    if read == 0:
        raise UsageError("--hang 0: expected more than nothing, such as 30s")
    return read
