"""From argv to an exit code; each command is imported when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from unlost.cli._parser import parse
from unlost.errors import UsageError

USAGE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """
    Carry out a command; return its exit code.

    Args:
        argv: Without the program's name; ``sys.argv[1:]`` by default.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character must not end a run
    arguments = parse(argv)
    command = importlib.import_module(f"unlost.cli._{arguments.command}")
    try:
        code: int = command.execute(arguments)
        sys.stdout.flush()
    except UsageError as wrong_usage:
        print(f"unlost {arguments.command}: {wrong_usage}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # `unlost show fetch-3 | head`: who read has what it wanted; python must not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
