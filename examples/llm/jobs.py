import contextlib
import json
from decimal import Decimal

from openai import AsyncOpenAI

import unlost

MODEL = "gpt-5-nano"
INPUT_USD, OUTPUT_USD = Decimal("0.00000005"), Decimal("0.0000004")  # for a token; your provider's page has them


def tokens(item):
    return len(item["text"]) // 4 + 300  # reserved of --rate tokens=..., and set right by what is spent


@unlost.job(concurrency=200, attempts=4, timeout=120, deadline=1800, estimate=tokens)
@contextlib.asynccontextmanager
async def summarise():
    async with AsyncOpenAI(max_retries=0, timeout=None) as client:

        async def call(item, context):
            answer = await client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": item["text"]}],
                extra_headers={"Idempotency-Key": context.idempotency_key},
            )
            sent, got = answer.usage.prompt_tokens, answer.usage.completion_tokens
            usd = sent * INPUT_USD + got * OUTPUT_USD
            context.spend(usd=usd, input_tokens=sent, output_tokens=got, id=answer.id)
            return answer.model_dump_json()

        async def one(item, context):
            raw = await context.once("response", call, item, context)
            return json.loads(json.loads(raw)["choices"][0]["message"]["content"])

        yield one
