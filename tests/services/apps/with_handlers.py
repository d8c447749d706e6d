from __future__ import annotations

from typing import Any  # ASGI's own shapes

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import unlost.asgi
from services.apps.on_starlette import handler


class Sorry:
    """Stands around the watch, and takes what comes out by its type."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except ValueError:
            await PlainTextResponse("sorry", status_code=503)(scope, receive, send)


app = Starlette(routes=[Route("/handler/{number}", handler)])
app.add_middleware(unlost.asgi.Middleware)
app.add_middleware(Sorry)
