"""A job that calls the paid API as a careful user would: it keeps each answer and says what that cost."""

from __future__ import annotations

import json
from pathlib import Path

from support.command import CommandLine
from support.paid_process import PaidApi

JOB = """
import contextlib, json, os

import httpx
import unlost

URL = os.environ["PAID_URL"]


@unlost.job(timeout=30)
@contextlib.asynccontextmanager
async def complete():
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with httpx.AsyncClient(base_url=URL, limits=limits, timeout=30, trust_env=False) as client:

        async def ask(item, context):
            headers = {"Idempotency-Key": context.idempotency_key}
            response = await client.post("/v1/complete", json={"prompt": item["prompt"]}, headers=headers)
            if "x-charge-id" in response.headers:  # a failure may be charged as well
                context.spend(usd=response.headers["x-charge-usd"], id=response.headers["x-charge-id"])
            response.raise_for_status()
            return response.text

        async def work(item, context):
            return parse(await context.once("answer", ask, item, context))["text"]

        yield work


def parse(text):
    return json.loads(text)
"""

CORRECTED = JOB.replace(
    "    return json.loads(text)", '    return json.loads(text.removeprefix("```json\\n").removesuffix("\\n```"))'
)
"""Its parser reads what ``--broken-every`` answers, too."""


def prepare(folder: Path, api: PaidApi, items: int) -> CommandLine:
    """Write the job and so many prompts; return the command line that knows the service."""
    folder.mkdir()
    unlost = CommandLine(folder)
    unlost.environment["PAID_URL"] = api.url
    unlost.write("jobs.py", JOB)
    unlost.write("in.jsonl", "".join(json.dumps({"prompt": f"prompt {n}"}) + "\n" for n in range(items)))
    return unlost
