"""The same application after two other tools have taken the places in ``sys.monitoring``."""

from __future__ import annotations

import sys

from services.apps.on_starlette import app

if sys.version_info >= (3, 12):
    for tool in (3, 4):
        sys.monitoring.use_tool_id(tool, "another tool")

__all__ = ["app"]
