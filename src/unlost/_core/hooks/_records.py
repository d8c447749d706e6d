"""Log records, each as it is made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from unlost._core.hooks._replaced import Switch, Undo

_PROBE: Final = "unlost: is this heard?"
_probed: list[str] = []


def records_are_heard() -> bool:
    """Say whether records still come by: a factory that was set later may not call the one before."""
    _probed.clear()
    logging.getLogRecordFactory()(_PROBE, logging.NOTSET, "", 0, "", (), None)
    return bool(_probed)


def on_records(tell: Callable[[logging.LogRecord], object]) -> Undo:
    """
    Call ``tell`` with each log record, whatever factory makes it.

    Only records of an enabled level are made. ``tell`` must not raise, nor log.
    """
    before = logging.getLogRecordFactory()
    switch = Switch()

    def observed(*args: Any, **kwargs: Any) -> logging.LogRecord:  # Any: passed on to whichever factory it is
        record = before(*args, **kwargs)
        if record.name == _PROBE:
            _probed.append(record.name)
        elif switch.on:
            tell(record)
        return record

    logging.setLogRecordFactory(observed)

    def undo() -> None:
        if switch.on and logging.getLogRecordFactory() is observed:
            logging.setLogRecordFactory(before)
        switch.on = False

    return undo
