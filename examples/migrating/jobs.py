import contextlib

import httpx

import unlost


@unlost.job(concurrency=100, timeout=2, attempts=3)
@contextlib.asynccontextmanager
async def price():
    async with httpx.AsyncClient(timeout=None) as client:

        async def one(url):
            response = await client.get(url)
            response.raise_for_status()
            return response.json()["price"]

        yield one
