import asyncio
import json
import sys

import httpx
from tqdm.asyncio import tqdm


async def main(path):
    slots = asyncio.Semaphore(100)
    failed = 0
    async with httpx.AsyncClient(timeout=2) as client:

        async def price(url):
            async with slots:
                response = await client.get(url)
                response.raise_for_status()
                return {"url": url, "price": response.json()["price"]}

        with open(path) as lines, open("results.jsonl", "w") as out:
            for done in tqdm.as_completed(list(map(price, lines.read().split()))):
                try:
                    print(json.dumps(await done), file=out)
                except Exception as error:
                    failed += 1  # of which URL, nobody knows
                    tqdm.write(repr(error), file=sys.stderr)
    print(failed, "failed")


asyncio.run(main(sys.argv[1]))
