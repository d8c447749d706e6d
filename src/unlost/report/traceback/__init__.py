"""An error that is gone, as lines for people: its traceback, and the tasks that it came through."""

from unlost.report.traceback._colour import wants_colour
from unlost.report.traceback._terminal import Look, for_terminal
from unlost.report.traceback._trace import trace_of

__all__ = ["Look", "for_terminal", "trace_of", "wants_colour"]
