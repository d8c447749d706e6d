import asyncio
import json
import sys

import aiometer
import httpx


async def main(path):
    async with httpx.AsyncClient(timeout=2) as client:

        async def price(url):
            response = await client.get(url)
            response.raise_for_status()
            return {"url": url, "price": response.json()["price"]}

        with open(path) as lines, open("results.jsonl", "w") as out:
            urls = lines.read().split()
            async with aiometer.amap(price, urls, max_at_once=100, max_per_second=500) as results:
                async for result in results:  # the first failure ends it
                    print(json.dumps(result), file=out)


asyncio.run(main(sys.argv[1]))
