"""How what is printed on standard output is to look."""

from __future__ import annotations

import os
import sys

from unlost.report.traceback import Look, wants_colour


def look_of_output() -> Look:
    """Return the width of the terminal, and whether to colour; no width where there is no terminal."""
    stream = sys.stdout
    is_terminal = stream is not None and stream.isatty()
    return Look(_cells() if is_terminal else None, wants_colour(os.environ, is_terminal=is_terminal))


def _cells() -> int | None:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None  # 0: one that does not say
    except (OSError, ValueError):  # what was put in place of standard output has no number
        return None
