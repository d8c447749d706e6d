"""
Everywhere an error can be reported to: logging, warnings, and the interpreter's hooks.

asyncio's own handler of a loop reports to logging. Standard error, and what is written to it while the interpreter
exits, is read by the process that started this one. Every level of logging counts.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings

from _loss_reach import tokens
from _loss_record import write


def listen_everywhere() -> None:
    logging.basicConfig(level=logging.NOTSET, handlers=[_Handler()])
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, *_rest, **_named: _reported(message, str(message))
    sys.excepthook = lambda _type, error, _traceback: _reported(error)
    sys.unraisablehook = lambda unraisable: _reported(unraisable.exc_value)
    threading.excepthook = lambda failed: _reported(failed.exc_value)


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _reported(record.getMessage(), vars(record))


def _reported(*things: object) -> None:
    for token in tokens(*things, texts=True):
        write("reported", token)
