"""A shop in Starlette: pages, a background task that fails, a stream that breaks."""

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route


async def item(request: Request) -> Response:
    return PlainTextResponse(str(100 // int(request.path_params["number"])))


async def later(_request: Request) -> Response:
    async def notify() -> None:
        raise ConnectionError("the mail server is down")

    return PlainTextResponse("later", background=BackgroundTask(notify))


async def stream(_request: Request) -> Response:
    async def rows() -> AsyncIterator[str]:
        yield "row\n"
        raise ValueError("row 1")

    return StreamingResponse(rows())


async def slow(_request: Request) -> Response:
    await asyncio.sleep(5)
    return PlainTextResponse("slow")


app = Starlette(
    routes=[
        Route("/items/{number:int}", item),
        Route("/later", later),
        Route("/stream", stream),
        Route("/slow", slow),
    ]
)
