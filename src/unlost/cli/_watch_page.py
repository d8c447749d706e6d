"""What became of a program's exceptions, as one HTML file: ``unlost watch --report FILE``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from unlost.cli._html import check_html, write_report
from unlost.cli._streams import say
from unlost.errors import UsageError
from unlost.observe._leaving import command_of
from unlost.observe.install import all_in
from unlost.observe.install._running import Running
from unlost.report.found import report_of_findings


def page_writer(arguments: argparse.Namespace) -> Callable[[Running], bool]:
    """
    Return what writes the file once the verdicts have fallen, and returns whether it could.

    Raises:
        UsageError: The file cannot be the report's; found before the program begins.
    """
    page = Path(arguments.report).absolute()  # the program may change the folder
    check_html(page)

    def write(running: Running) -> bool:
        collector = running.collector
        report = report_of_findings(
            all_in(collector), collector.counts, _program(arguments),
            subtitle="what became of the exceptions", noted=collector.noted, unseen=running.unseen(),
            command=_typed(arguments),
        )  # fmt: skip
        try:
            write_report(page, report)
        except UsageError as refused:
            say(f"unlost watch: {refused}")
            return False
        except OSError as writing_error:  # its folder may not be looked into any more
            say(f"unlost watch: {page} cannot be written: {writing_error.strerror}")
            return False
        return True

    return write


def _program(arguments: argparse.Namespace) -> str:
    return Path(arguments.program[0]).name if arguments.module is None else f"-m {arguments.module[0]}"


def _typed(arguments: argparse.Namespace) -> str:
    """Return the command that runs all of this again."""
    words = ["unlost", "watch", *(["--fail"] if arguments.fail else [])]
    for name in ("report", "json", "hang"):
        value = getattr(arguments, name)
        words += [f"--{name}", value] if value is not None else []
    return command_of([*words, *(["-m", *arguments.module] if arguments.module is not None else arguments.program)])
