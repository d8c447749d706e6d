"""OpenTelemetry's logs as a sink, for the extra ``otel``. The only file that imports it."""

from __future__ import annotations

from opentelemetry._logs import Logger, LoggerProvider, SeverityNumber, get_logger_provider
from opentelemetry.util.types import AttributeValue

from unlost.errors import UsageError
from unlost.observe._render import render
from unlost.observe.sinks._report import Report
from unlost.observe.sinks._text import text_of

_EVENT = "exception"


class OpenTelemetry:
    """
    Emits each report as a log record, by the semantic conventions for exceptions in logs.

    It has ``exception.type``, ``exception.message`` and ``exception.stacktrace`` (without secrets), and
    ``unlost.verdict``, ``unlost.fingerprint``, ``unlost.repeats``, ``unlost.task``, ``unlost.by`` and
    ``code.*`` of where the error ended. Trace and span are those of the code that reported.

    Args:
        provider: None is the global one, which must be set by the time of the first report.
    """

    waits = True  # a processor may export at once

    def __init__(self, provider: LoggerProvider | None = None) -> None:
        self._provider = provider
        self._logger: Logger | None = None

    def emit(self, report: Report) -> None:
        self._opened().emit(
            timestamp=int(report.at * 1e9),
            severity_number=SeverityNumber.WARN if report.repeats else SeverityNumber.ERROR,
            severity_text="WARN" if report.repeats else "ERROR",
            body=text_of(report) if report.repeats else report.what,
            attributes=_attributes(report),
            event_name=_EVENT if report.error is not None and not report.repeats else None,
        )

    def close(self) -> None:
        """Let the provider export what it has; it is not shut down, as it is not ours."""
        flush = getattr(self._provider or get_logger_provider(), "force_flush", None)
        if flush is not None:
            flush()

    def _opened(self) -> Logger:
        logger = self._logger or (self._provider or get_logger_provider()).get_logger("unlost")
        if not logger.enabled(severity_number=SeverityNumber.ERROR):
            raise UsageError("OpenTelemetry drops what is logged to it.\nWrite set_logger_provider(...) first.")
        self._logger = logger
        return logger


def _attributes(report: Report) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {
        "unlost.verdict": report.verdict,
        "unlost.fingerprint": report.digest,
        "unlost.repeats": report.repeats,
        "unlost.by": report.by,
        "unlost.task": report.origin.task if report.origin else "",
    }
    if report.site is not None:
        found["code.file.path"] = report.site.file
        found["code.line.number"] = report.site.line
        found["code.function.name"] = report.site.function
    if report.error is not None:
        module, qualname = report.error["type"]["module"], report.error["type"]["qualname"]
        found["exception.type"] = qualname if module in ("builtins", "") else f"{module}.{qualname}"
        found["exception.message"] = report.error["message"]
        found["exception.stacktrace"] = "" if report.repeats else render(report.error)
    return {name: value for name, value in found.items() if value != "" and (value or name != "unlost.repeats")}
