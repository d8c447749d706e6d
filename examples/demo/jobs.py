"""The job of the demo: `unlost run jobs:fetch urls.jsonl` fetches the price of each item."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

import unlost

SERVICE = os.environ.get("DEMO_URL", "http://127.0.0.1:8765")
API_KEY = "sk-demo-51f6c2a94b7e4d0f"  # goes into the query and a header, so into errors, but not into the journal
AUTH = {"Authorization": f"Bearer {API_KEY}"}
LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)  # -j decides how many


@unlost.job(attempts=5, timeout=2, concurrency=100)
@asynccontextmanager
async def fetch() -> AsyncIterator[Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]]:
    async with httpx.AsyncClient(base_url=SERVICE, headers=AUTH, limits=LIMITS, trust_env=False) as client:

        async def fetch_one(line: dict[str, Any]) -> dict[str, Any]:
            response = await client.get(line["path"], params={"api_key": API_KEY})
            response.raise_for_status()
            return parse(response.json())

        yield fetch_one


def parse(item: dict[str, Any]) -> dict[str, Any]:
    return {"name": item["name"], "cents": round(item["price"] * 100)}
