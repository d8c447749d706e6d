"""Errors that somebody is told: by a log record, or by a hook."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from logging import LogRecord
from typing import Final

from unlost.observe.watch import reported

_ASYNCIO: Final = "asyncio"


class LogRecords:
    """
    Log records, each as it is made: an exception in one is reported.

    It may be the record's own, one of its arguments, or the message itself; one that was put into the text is text.
    """

    def __init__(self) -> None:
        self._silent = threading.local()

    def made(self, record: LogRecord) -> None:
        """Take what exceptions a record carries for reported."""
        if record.name == _ASYNCIO and getattr(self._silent, "on", False):
            return
        how = f"log record of {record.name!r}"
        for error in _errors_in(record):
            reported(error, how)

    @contextmanager
    def of_what_is_lost(self) -> Iterator[None]:
        """Take what asyncio itself logs here for no report: it says that an error was lost, when it was too late."""
        before = getattr(self._silent, "on", False)  # a handler may let go of the last of another task
        self._silent.on = True
        try:
            yield
        finally:
            self._silent.on = before


def _errors_in(record: LogRecord) -> Iterator[BaseException]:
    if record.exc_info and isinstance(record.exc_info[1], BaseException):
        yield record.exc_info[1]
    if isinstance(record.msg, BaseException):
        yield record.msg
    arguments = record.args
    if isinstance(arguments, dict):
        arguments = tuple(arguments.values())
    for argument in arguments or ():
        if isinstance(argument, BaseException):
            yield argument
