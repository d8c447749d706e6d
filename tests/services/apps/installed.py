"""A service that calls ``unlost.install()`` where it is imported, and has no middleware of ours."""

from __future__ import annotations

from starlette.applications import Starlette

import unlost
from services.apps.on_starlette import routes

unlost.install()
app = Starlette(routes=routes)


def make() -> Starlette:
    return app
