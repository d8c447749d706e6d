"""What the observer found, as a report; a room of its own, so that who reports a run does not load the observer."""

from unlost.report.found._of_findings import report_of_findings
from unlost.report.found._of_tests import FoundInTests

__all__ = ["FoundInTests", "report_of_findings"]
