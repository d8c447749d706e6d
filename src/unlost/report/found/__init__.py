"""What the observer found, as a report; a room of its own, so that who reports a run does not load the observer."""

from unlost.report.found._of_findings import report_of_findings

__all__ = ["report_of_findings"]
