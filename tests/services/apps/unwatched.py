"""A service that knows nothing of ``unlost``."""

from __future__ import annotations

from starlette.applications import Starlette

from services.apps.on_starlette import routes

app = Starlette(routes=routes)
