"""
The watching of a process that serves.

It begins with the first call, not with the import of the application: a server may import that and fork then
(``gunicorn --preload``). It ends with the lifespan: a server may end the process by a signal right after, without
``atexit`` (uvicorn). A call that comes later begins it anew.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from threading import RLock
from typing import Final, NamedTuple

from unlost.observe.install import Installed, install, join, leave
from unlost.observe.sinks import Sink
from unlost.observe.watch import Collector, Finding, Notice

MOST: Final = 1_000
"""Findings that a service keeps; they were told by then."""

_lock = RLock()  # a signal handler may end what the main thread is about to begin
installed: Installed | None = None  # one for each process, as there is one interpreter


class Settings(NamedTuple):
    """Arguments of ``install``."""

    sinks: Iterable[str | Sink] | None
    report: Callable[[Finding | Notice], bool]
    patch: bool
    hang: float | None


def begin(settings: Settings) -> Installed:
    """
    Watch this process, if nothing here does that yet; return what does.

    Who calls often looks at ``installed`` first, without the lock.

    Raises:
        UsageError: As ``install`` does.
    """
    global installed  # as above
    with _lock:
        if installed is None:
            running = join(lambda: Collector(most=MOST))
            try:
                sinks, report, patch, hang = settings
                installed = install(sinks=sinks, report=report, patch=patch, hang=hang)
            finally:
                leave(running)
            _heed_sentry()
        return installed


def end() -> None:
    """End it, and tell what is left; a second call does nothing."""
    global installed  # as above
    with _lock:
        ended, installed = installed, None
    if ended is not None:
        ended.uninstall()


def end_soon() -> None:
    """End it when the server has been given the error that is on its way to it."""
    try:
        asyncio.get_running_loop().call_soon(end)
    except RuntimeError:  # another library's loop
        end()


def _heed_sentry() -> None:
    """Take what Sentry is sent for reported, where the program has it."""
    if "sentry_sdk" in sys.modules:
        import_module("unlost.observe.sinks._sentry").heed()
