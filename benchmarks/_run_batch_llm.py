"""
The contender `async-batch-llm`, with its SQLite checkpoints.

    python benchmarks/_run_batch_llm.py JOB INPUTS ITEMS LIMIT DURABILITY RESUME

As its documentation has it for large runs: a lazy source, bounded queues, results streamed and let go. An input is
handed over as its line, which the call parses, and the item's id is the line's number.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

from _run_jobs import JOBS
from _run_marks import Marks
from async_batch_llm import (
    ArtifactIdentity,
    CallableStrategy,
    CallOutcome,
    ProcessorConfig,
    ResumePolicy,
    SqliteArtifactStore,
    process_stream,
)


def prompts(inputs: str) -> Iterator[tuple[str, str]]:
    with open(inputs, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            yield str(number), line


async def main(job: str, inputs: str, items: int, limit: int, durability: str, resume: str) -> None:
    func, marks = JOBS[job], Marks(items)

    async def invoke(prompt: str, **_attempt: Any) -> CallOutcome[int]:  # Any: attempt, timeout, state
        return CallOutcome(await func(json.loads(prompt)))

    identity = ArtifactIdentity(provider="benchmark", model=job)
    store = SqliteArtifactStore("checkpoints.db", identity=identity, durability=durability)
    config = ProcessorConfig(concurrency=limit, max_queue_size=4 * limit, max_result_queue_size=4 * limit)
    strategy = CallableStrategy(invoke, identity=identity)
    results = process_stream(
        strategy, prompts(inputs), config=config, artifact_store=store, resume=ResumePolicy(resume)
    )
    async for result in results:
        marks.ended(ok=result.success)
    marks.print()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:]))
