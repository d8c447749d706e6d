"""A server of aiohttp's and a downloader: pages, failures, redirects, time-outs, a websocket, a worker that fails."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web


async def item(request: web.Request) -> web.Response:
    return web.json_response(100 // int(request.match_info["number"]))


async def slow(_request: web.Request) -> web.Response:
    await asyncio.sleep(3)
    return web.Response()


async def cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"half")
    assert request.transport is not None
    request.transport.abort()
    return response


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for number in range(10):
        await response.write(b"row\n" * 100)
        if number == 5:
            raise ValueError("row 5")
    return response


async def chat(request: web.Request) -> web.WebSocketResponse:
    one = web.WebSocketResponse()
    await one.prepare(request)
    async for message in one:
        await one.send_str(str(100 // int(message.data)))
    return one


async def worker(_app: web.Application) -> AsyncIterator[None]:
    async def work() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            raise ConnectionError("the queue was closed already")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def main() -> None:
    app = web.Application()
    app.add_routes([web.get("/items/{number}", item), web.get("/slow", slow), web.get("/cut", cut)])
    app.add_routes([web.get("/stream", stream), web.get("/chat", chat), web.post("/items", item)])
    app.router.add_get("/moved", lambda _request: web.HTTPFound("/items/3"))
    app.cleanup_ctx.append(worker)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 48412)
    await site.start()
    place = "http://127.0.0.1:48412"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.5)) as session:

        async def fetch(url: str) -> str:
            async with session.get(url, raise_for_status=True) as answer:
                return await answer.text()

        paths = ["/items/3", "/items/0", "/items/x", "/nothing", "/slow", "/cut", "/stream", "/moved"]
        got = await asyncio.gather(*(fetch(place + path) for path in paths), return_exceptions=True)
        for path, one in zip(paths, got, strict=True):
            print(path, type(one).__name__)
        try:
            await asyncio.gather(*(fetch(f"http://127.0.0.1:{port}/") for port in (1, 2, 3)))
        except aiohttp.ClientConnectorError as error:
            print("refused", error.os_error.errno)
        async with session.ws_connect(place + "/chat") as one:
            for text in ("5", "0"):
                await one.send_str(text)
                print("chat", (await one.receive()).type.name)
        one = await session.ws_connect(place + "/chat")
        reading = asyncio.create_task(one.receive())
        await asyncio.sleep(0)
        reading.cancel()
        waiting = asyncio.create_task(fetch(place + "/slow"))
        await asyncio.sleep(0.05)
        waiting.cancel()
    await runner.cleanup()


asyncio.run(main())
