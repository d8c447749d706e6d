import asyncio
import json
import sys

import httpx
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_exponential_jitter


def is_transient(error):
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (429, 500, 502, 503, 504)
    return isinstance(error, httpx.TransportError)


@retry(
    retry=retry_if_exception(is_transient),
    stop=stop_after_attempt(3),
    wait=wait_exponential_jitter(initial=0.1, jitter=0.1),
    reraise=True,
)
async def price(client, url):
    response = await client.get(url)
    response.raise_for_status()
    return response.json()["price"]


async def main(path):
    failed = 0
    async with httpx.AsyncClient(timeout=2) as client:
        with open(path) as lines, open("results.jsonl", "w") as out:
            for url in lines.read().split():
                try:
                    print(json.dumps({"url": url, "price": await price(client, url)}), file=out)
                except Exception as error:
                    failed += 1
                    print(url, repr(error), file=sys.stderr)
    print(failed, "failed")


asyncio.run(main(sys.argv[1]))
