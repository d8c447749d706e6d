from __future__ import annotations

import asyncio

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

import unlost.asgi
from services.apps.errors import boom, forget


async def breaks(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive_text()
    await boom("socket")


async def forgets(socket: WebSocket) -> None:
    await socket.accept()
    forget("forgotten")
    await socket.send_text(await socket.receive_text())
    await socket.close()


async def listens(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    try:
        while True:
            await socket.receive_text()
    finally:
        gone("listening")


async def talks(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text("more")
            await asyncio.sleep(0.01)
    finally:
        gone("talking")


async def does_both(socket: WebSocket) -> None:
    """As most do it: one task for each direction."""
    await socket.accept()
    await socket.send_text("hello")
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(reads(socket))
            group.create_task(asyncio.sleep(60))
    finally:
        gone("doing both")


async def reads(socket: WebSocket) -> None:
    while True:
        await socket.receive_text()


def gone(what: str) -> None:
    print(f"the other side of {what} went away", flush=True)


app = Starlette(
    routes=[
        WebSocketRoute("/breaks/{number}", breaks),
        WebSocketRoute("/forgets/{number}", forgets),
        WebSocketRoute("/listens", listens),
        WebSocketRoute("/talks", talks),
        WebSocketRoute("/does-both", does_both),
    ]
)
app.add_middleware(unlost.asgi.Middleware)
