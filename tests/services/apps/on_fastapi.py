from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any  # what a middleware hands on

from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import StreamingResponse

import unlost.asgi
from services.apps.errors import at, boom, endless, forget, keep, stream


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await at("startup")
    yield
    await at("shutdown")


app = FastAPI(lifespan=lifespan)


@app.middleware("http")
async def breaking(request: Request, call_next: Any) -> Any:
    if request.url.path.startswith("/middleware"):
        await boom("middleware")
    return await call_next(request)


app.add_middleware(unlost.asgi.Middleware)


@app.get("/")
async def hello() -> str:
    return f"hello from {os.getpid()}"


@app.get("/handler/{number}")
async def handler(number: int) -> None:
    await boom("handler")


@app.get("/background/{number}")
async def background(number: int, tasks: BackgroundTasks) -> str:
    tasks.add_task(boom, "background")
    return "ok"


@app.get("/stream/{number}")
async def streaming(number: int) -> StreamingResponse:
    return StreamingResponse(stream("stream"))


@app.get("/streams")
async def streams() -> StreamingResponse:
    return StreamingResponse(endless())


@app.get("/forgets/{number}")
async def forgets(number: int) -> str:
    forget("forgotten")
    return "ok"


@app.get("/keeps/{number}")
async def keeps(number: int) -> str:
    keep("kept")
    return "ok"
