from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any  # ASGI's own shapes

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route

import unlost.asgi
from services.apps.errors import at, boom, endless, forget, keep, slow, stream


class Breaking:
    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/middleware"):
            await boom("middleware")
        await self.app(scope, receive, send)


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"hello from {os.getpid()}")


async def handler(request: Request) -> PlainTextResponse:
    await boom("handler")
    return PlainTextResponse("not reached")


async def background(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok", background=BackgroundTask(boom, "background"))


async def streaming(request: Request) -> StreamingResponse:
    return StreamingResponse(stream("stream"))


async def streams(request: Request) -> StreamingResponse:
    return StreamingResponse(endless())


async def slowly(request: Request) -> StreamingResponse:
    return StreamingResponse(slow())


async def forgets(request: Request) -> PlainTextResponse:
    forget("forgotten")
    return PlainTextResponse("ok")


async def keeps(request: Request) -> PlainTextResponse:
    keep("kept")
    return PlainTextResponse("ok")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    await at("startup")
    yield
    await at("shutdown")


routes = [
    Route("/", hello),
    Route("/handler/{number}", handler),
    Route("/background/{number}", background),
    Route("/stream/{number}", streaming),
    Route("/streams", streams),
    Route("/slow", slowly),
    Route("/keeps/{number}", keeps),
    Mount("/under", routes=[Route("/forgets/{number}", forgets)]),
    Route("/forgets/{number}", forgets),
]
app = Starlette(routes=routes, lifespan=lifespan)
app.add_middleware(Breaking)
app.add_middleware(unlost.asgi.Middleware)
