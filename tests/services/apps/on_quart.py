from __future__ import annotations

import os
from typing import Any  # ASGI's own shapes

from quart import Quart

import unlost.asgi
from services.apps.errors import at, boom, endless, forget, keep, stream

app = Quart(__name__)


class Breaking:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/middleware"):
            await boom("middleware")
        await self.app(scope, receive, send)


app.asgi_app = unlost.asgi.Middleware(Breaking(app.asgi_app))


@app.before_serving
async def start() -> None:
    await at("startup")


@app.after_serving
async def stop() -> None:
    await at("shutdown")


@app.get("/")
async def hello() -> str:
    return f"hello from {os.getpid()}"


@app.get("/handler/<int:number>")
async def handler(number: int) -> str:
    await boom("handler")
    return "not reached"


@app.get("/background/<int:number>")
async def background(number: int) -> str:
    app.add_background_task(boom, "background")
    return "ok"


@app.get("/stream/<int:number>")
async def streaming(number: int) -> Any:
    return stream("stream")


@app.get("/streams")
async def streams() -> Any:
    return endless()


@app.get("/forgets/<int:number>")
async def forgets(number: int) -> str:
    forget("forgotten")
    return "ok"


@app.get("/keeps/<int:number>")
async def keeps(number: int) -> str:
    keep("kept")
    return "ok"
