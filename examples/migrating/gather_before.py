import asyncio
import json
import sys

import httpx


async def main(path):
    slots = asyncio.Semaphore(100)
    async with httpx.AsyncClient(timeout=2) as client:

        async def price(url):
            async with slots:
                response = await client.get(url)
                response.raise_for_status()
                return response.json()["price"]

        with open(path) as lines:
            urls = lines.read().split()
        results = await asyncio.gather(*map(price, urls), return_exceptions=True)

    with open("results.jsonl", "w") as out:
        for url, result in zip(urls, results):
            if not isinstance(result, BaseException):
                print(json.dumps({"url": url, "price": result}), file=out)
    print(sum(isinstance(result, BaseException) for result in results), "failed")


asyncio.run(main(sys.argv[1]))
