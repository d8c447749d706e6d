"""Log records, each as it is made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from unlost._core.hooks._replaced import Switch, Undo


def on_records(tell: Callable[[logging.LogRecord], object]) -> Undo:
    """
    Call ``tell`` with each log record, whatever factory makes it.

    Only records of an enabled level are made. ``tell`` must not raise, nor log.
    """
    before = logging.getLogRecordFactory()
    switch = Switch()

    def observed(*args: Any, **kwargs: Any) -> logging.LogRecord:  # Any: passed on to whichever factory it is
        record = before(*args, **kwargs)
        if switch.on:
            tell(record)
        return record

    logging.setLogRecordFactory(observed)

    def undo() -> None:
        if switch.on and logging.getLogRecordFactory() is observed:
            logging.setLogRecordFactory(before)
        switch.on = False

    return undo
