"""For whom the code that runs was called, in words: a service names each request."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

during: Final[ContextVar[object]] = ContextVar("unlost_during", default="")
"""Its ``str`` is taken when an exception of that code comes to no good end, which may be much later."""
