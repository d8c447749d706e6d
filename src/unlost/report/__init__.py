"""One view of the data, many media: the terminal, JSON, one HTML file."""

from unlost.report._detail import detail_as_json, detail_as_text
from unlost.report._of_run import report_of_run
from unlost.report._report import SLICES, ErrorGroup, Report, Tally
from unlost.report._runs import runs_as_json, runs_as_text
from unlost.report._show import run_as_text
from unlost.report._summary import summary_as_json, summary_as_text
from unlost.report._text import clock_time, one_line, rate, shortened, width
from unlost.report._view import EXIT_CODES, Entry, View, exit_code

__all__ = [
    "EXIT_CODES",
    "SLICES",
    "Entry",
    "ErrorGroup",
    "Report",
    "Tally",
    "View",
    "clock_time",
    "detail_as_json",
    "detail_as_text",
    "exit_code",
    "one_line",
    "rate",
    "report_of_run",
    "run_as_text",
    "runs_as_json",
    "runs_as_text",
    "shortened",
    "summary_as_json",
    "summary_as_text",
    "width",
]
