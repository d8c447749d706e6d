"""Which progress is shown: the plain one, or on a terminal that of the extra ``rich``, where it is installed."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import AbstractContextManager, nullcontext

from unlost.batch import Run
from unlost.cli import _progress
from unlost.errors import UsageError


def display_of(run: Run, display: str) -> AbstractContextManager[None]:
    """
    Return what shows the progress of ``run`` while it is entered.

    Args:
        run: Which is open.
        display: ``"auto"``, ``"plain"``, ``"rich"`` or ``"none"``.
    """
    if display == "none" or sys.stderr is None:
        return nullcontext()
    if _is_terminal() and (display == "rich" or (display == "auto" and _has_rich())):
        from unlost.cli import _rich

        return _rich.progress_of(run)
    return _progress.progress_of(run, drawn=_is_terminal())


def check_display(display: str) -> None:
    """Raise ``UsageError`` where ``rich`` is asked for and not installed."""
    if display == "rich" and not _has_rich():
        raise UsageError("--display rich needs a package that is not installed.\nWrite: pip install 'unlost[rich]'")


def _has_rich() -> bool:
    return importlib.util.find_spec("rich") is not None


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
