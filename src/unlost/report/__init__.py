"""One view of a run's data, many media; so far the terminal and JSON."""

from unlost.report._detail import detail_as_json, detail_as_text
from unlost.report._runs import runs_as_json, runs_as_text
from unlost.report._show import run_as_text
from unlost.report._summary import summary_as_json, summary_as_text
from unlost.report._text import clock_time, one_line, rate, shortened, width
from unlost.report._view import EXIT_CODES, Entry, View, exit_code

__all__ = [
    "EXIT_CODES",
    "Entry",
    "View",
    "clock_time",
    "detail_as_json",
    "detail_as_text",
    "exit_code",
    "one_line",
    "rate",
    "run_as_text",
    "runs_as_json",
    "runs_as_text",
    "shortened",
    "summary_as_json",
    "summary_as_text",
    "width",
]
