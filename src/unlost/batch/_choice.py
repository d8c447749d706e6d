"""
Choosing a run: one process at a time in a folder.

Which run a command continues, or that there is none, holds only until another process has begun one. So whoever
chooses keeps the others waiting until the journal of its choice is open, and says whose run it is.
"""

from __future__ import annotations

import os
import time
import weakref
from pathlib import Path

from unlost._core import monotonic
from unlost.batch._lock import Locked, try_lock
from unlost.errors import UsageError

PATIENCE = 30.0
"""Seconds to wait for another process that chooses."""

_GLANCE = 0.02


class Choice:
    """
    Held from construction until ``release``, which may be called any number of times; blocks until it is free.

    Raises:
        Locked: Another process has been choosing for ``PATIENCE`` seconds.
        UsageError: The file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / ".choosing"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as opening_error:
            raise UsageError(
                f"cannot keep journals in {folder}: {opening_error.strerror}.\n"
                "Name a folder that you can write to: --folder DIR"
            ) from opening_error
        self.release = weakref.finalize(self, os.close, descriptor)  # a plan may be dropped, unopened
        patience_ends = monotonic() + PATIENCE
        while not try_lock(descriptor):
            if monotonic() > patience_ends:
                self.release()
                raise Locked(
                    f"another process has been opening a run in {folder} for {PATIENCE:g} s.\n"
                    f"See whether it is stopped: fuser -v {os.fspath(path)}"
                )
            time.sleep(_GLANCE)
