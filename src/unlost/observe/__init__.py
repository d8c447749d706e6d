"""
What is known of an error once it is gone: its record, without secrets, and its fingerprint.

``record`` turns an exception into JSON-ready built-ins; all else here works on such a record, today's or one that a
journal has kept.
"""

from unlost.observe._code import is_application
from unlost.observe._headline import Headline, headline
from unlost.observe._record import record
from unlost.observe._redact import Redactor, redact
from unlost.observe._render import Line, lines_of, render, short_path
from unlost.observe._running import Running, is_debugged, running_at
from unlost.observe._schema import ErrorRecord, FrameRecord
from unlost.observe.fingerprints import (
    Part,
    digest,
    fingerprint,
    fingerprint_hook,
    parts_of,
    variant,
    what_varies,
    why,
    why_not,
)

__all__ = [
    "ErrorRecord",
    "FrameRecord",
    "Headline",
    "Line",
    "Part",
    "Redactor",
    "Running",
    "digest",
    "fingerprint",
    "fingerprint_hook",
    "headline",
    "is_application",
    "is_debugged",
    "lines_of",
    "parts_of",
    "record",
    "redact",
    "render",
    "running_at",
    "short_path",
    "variant",
    "what_varies",
    "why",
    "why_not",
]
