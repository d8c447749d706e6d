"""Waiting for another process, which no virtual clock can hurry."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(happened: Callable[[], bool], seconds: float = 30) -> None:
    """Return when ``happened()`` is true; it is asked again and again, for so many seconds at most."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"nothing happened for {seconds:g} s"
        time.sleep(0.02)
