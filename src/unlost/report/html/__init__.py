"""A report as one HTML file that needs nothing else: no network, no other file, and no script for what matters."""

from unlost.report.html._page import MARK, html_of

__all__ = ["MARK", "html_of"]
