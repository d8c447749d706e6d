"""Standard error as a sink, without ``logging``: it works while the interpreter exits."""

from __future__ import annotations

from unlost._core._report import tell
from unlost.observe.sinks._report import Report
from unlost.observe.sinks._text import text_of


class StandardError:
    """Prints each report, led by ``unlost:``; where there is no standard error, or nobody reads it, nothing fails."""

    def emit(self, report: Report) -> None:
        tell(f"unlost: {text_of(report)}\n")

    def close(self) -> None:
        """Do nothing: standard error is not ours."""
