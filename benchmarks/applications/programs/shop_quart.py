"""A shop in Quart: pages, a background task that fails, a stream that breaks, a websocket."""

import asyncio
from collections.abc import AsyncIterator

from quart import Quart, Response, abort, request, websocket

app = Quart(__name__)


@app.get("/")
async def index() -> str:
    return "shop"


@app.get("/items/<int:number>")
async def item(number: int) -> dict[str, int]:
    if number > 100:
        abort(404)
    return {"price": 100 // number}


@app.post("/items")
async def add() -> dict[str, int]:
    return {"count": len(await request.get_json())}


@app.get("/slow")
async def slow() -> str:
    await asyncio.sleep(5)
    return "slow"


@app.get("/later")
async def later() -> str:
    async def notify() -> None:
        await asyncio.sleep(0.05)
        raise ConnectionError("the mail server is down")

    app.add_background_task(notify)
    return "later"


@app.get("/stream")
async def stream() -> Response:
    async def rows() -> AsyncIterator[str]:
        for number in range(10):
            if number == 5:
                raise ValueError("row 5")
            yield "row\n"

    return Response(rows())


@app.websocket("/echo")
async def echo() -> None:
    while True:
        await websocket.send(await websocket.receive())
