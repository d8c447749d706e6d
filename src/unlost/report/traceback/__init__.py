"""An error that is gone, as lines for people: its traceback, and the tasks that it came through."""

from unlost.report.traceback._trace import trace_of

__all__ = ["trace_of"]
