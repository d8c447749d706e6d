"""From argv to an exit code; each command is imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from unlost.cli._interrupted import Interrupted
from unlost.cli._parser import parse
from unlost.cli._streams import flush, prepare, say
from unlost.errors import UsageError

USAGE, INTERRUPTED = 2, 4


def main(argv: Sequence[str] | None = None) -> int:
    """
    Carry out a command; return its exit code.

    Args:
        argv: Without the program's name; ``sys.argv[1:]`` by default.
    """
    prepare()
    try:
        return _carry_out(argv)
    except Interrupted:
        from unlost._core.hooks import end_interrupted

        end_interrupted()
    finally:
        flush()


def _carry_out(argv: Sequence[str] | None) -> int:
    arguments = parse(argv)
    command = importlib.import_module(f"unlost.cli._{arguments.command}")
    try:
        code: int = command.execute(arguments)
    except UsageError as wrong_usage:
        say(f"unlost {arguments.command}: {wrong_usage}")
        return USAGE
    except KeyboardInterrupt:  # outside of a run, which has its own way with it: while the target is imported, say
        say(f"unlost {arguments.command}: interrupted")
        return INTERRUPTED
    return code
