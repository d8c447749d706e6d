import asyncio
import json
import sys

import httpx
from async_batch_llm import (
    ArtifactIdentity,
    CallableStrategy,
    CallOutcome,
    ProcessorConfig,
    ResumePolicy,
    SqliteArtifactStore,
    process_stream,
)


async def main(path):
    failed = 0
    identity = ArtifactIdentity(provider="shop", model="price")
    store = SqliteArtifactStore("checkpoints.db", identity=identity)
    async with httpx.AsyncClient(timeout=2) as client:

        async def price(url, **_attempt):
            response = await client.get(url)
            response.raise_for_status()
            return CallOutcome(response.json()["price"])

        with open(path) as lines:
            prompts = [(f"{number}", url) for number, url in enumerate(lines.read().split(), 1)]
        results = process_stream(
            CallableStrategy(price, identity=identity),
            prompts,
            config=ProcessorConfig(concurrency=100),
            artifact_store=store,
            resume=ResumePolicy.REUSE_SUCCESSES,
        )
        with open("results.jsonl", "w") as out:
            async for result in results:
                if result.success:
                    print(json.dumps({"item": result.item_id, "price": result.output}), file=out)
                else:
                    failed += 1
                    print(result.item_id, result.error, file=sys.stderr)
    print(failed, "failed")


asyncio.run(main(sys.argv[1]))
