"""The service of ``observe.py``: each request awaits, every hundredth fails. With ``WATCHED=1`` it is watched."""

from __future__ import annotations

import asyncio
import itertools
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

FAILS_EVERY = int(os.environ.get("FAILS_EVERY", "100"))
numbers = itertools.count(1)


async def look_up(number: int) -> dict[str, int]:
    await asyncio.sleep(0)
    if number % FAILS_EVERY == 0:
        raise LookupError(f"there is no {number}")
    return {"number": number}


async def item(_request: Request) -> JSONResponse:
    return JSONResponse(await look_up(next(numbers)))


app = Starlette(routes=[Route("/items/{number}", item)])
if os.environ.get("WATCHED"):
    import unlost.asgi

    app.add_middleware(unlost.asgi.Middleware)
