"""A job that calls the stand-in for a paid API: its address is in ``STORM_URL``."""

import contextlib
import os

import aiohttp

import unlost


@unlost.job(timeout=30)
@contextlib.asynccontextmanager
async def complete():
    # aiohttp, not httpx: the pool of httpcore looks through all its connections at each request, and with 500 of them
    # the loop stands still for seconds, so that calls reach the service in bunches
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(os.environ["STORM_URL"], connector=connector, raise_for_status=True) as client:

        async def call(item):
            async with client.post("/v1/complete", json={"prompt": item["prompt"]}) as response:
                return (await response.json())["id"]

        yield call
