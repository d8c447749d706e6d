"""
Where errors go that no owner can take, and what the observer found: to standard error, logs, services, files.

``Sinks`` stands between: it tells each bug in full once and counts the others, in bounded memory. A sink that needs an
extra is made by ``sinks_of``, which imports it then.
"""

from unlost.observe.sinks._json import as_json, schema
from unlost.observe.sinks._jsonl import FileFull, JsonLines
from unlost.observe.sinks._logging import Logging
from unlost.observe.sinks._named import sinks_of
from unlost.observe.sinks._report import Report, report_of
from unlost.observe.sinks._sink import Sink
from unlost.observe.sinks._sinks import Sinks
from unlost.observe.sinks._stderr import StandardError
from unlost.observe.sinks._text import text_of

__all__ = [
    "FileFull",
    "JsonLines",
    "Logging",
    "Report",
    "Sink",
    "Sinks",
    "StandardError",
    "as_json",
    "report_of",
    "schema",
    "sinks_of",
    "text_of",
]
