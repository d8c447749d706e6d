"""The standard library's ``logging`` as a sink."""

from __future__ import annotations

import logging

from unlost.observe.sinks._report import Report
from unlost.observe.sinks._text import text_of
from unlost.observe.watch import DIED

NAME = "unlost"


class Logging:
    """
    Logs each report once, to the logger ``unlost``: as an error; mere counts as warnings, and so a task that died
    and that somebody may still ask.

    The record has ``unlost_verdict``, ``unlost_fingerprint`` and ``unlost_repeats``, and no ``exc_info``: the traceback
    is in the text, without secrets. No handler is added; where the program has none, ``logging`` prints it.
    """

    def __init__(self) -> None:
        self._logger = logging.getLogger(NAME)

    def emit(self, report: Report) -> None:
        level = logging.WARNING if report.repeats or report.verdict == DIED else logging.ERROR
        extra = {
            "unlost_verdict": report.verdict,
            "unlost_fingerprint": report.fingerprint,
            "unlost_repeats": report.repeats,
        }
        self._logger.log(level, "%s", text_of(report), extra=extra)

    def close(self) -> None:
        """Do nothing: the handlers are not ours."""
