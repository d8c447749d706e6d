"""
A storm: many concurrent calls against a service that allows fewer and answers 429 to the rest.

    python benchmarks/storm.py [--items 20000] [-j 500] [--allow 200/s] [--burst 50] [--latency 0.1] [--alone]

Prints how many calls were made for each item, refused ones included, and how long it took beside what the allowance
demands: ``items / rate``. ``--alone`` lets a bare loop call through the throttle that the runner has; without it the
runner itself does, as it is typed. Both are real: real sockets, real time, the service in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE)]

from support.paid_process import PaidApi  # noqa: E402  # found only there


def through_the_runner(api: PaidApi, folder: Path, prompts: list[str], limit: int) -> None:
    inputs = folder / "in.jsonl"
    inputs.write_text("".join(f'{{"prompt": "{prompt}"}}\n' for prompt in prompts), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "unlost", "run", "_storm_job:complete", inputs, "-j", str(limit)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HERE), "STORM_URL": api.url},
        check=True,
    )


def alone(api: PaidApi, _folder: Path, prompts: list[str], limit: int) -> None:
    os.environ["STORM_URL"] = api.url
    asyncio.run(_alone(prompts, limit))


async def _alone(prompts: list[str], limit: int) -> None:
    import aiohttp
    from _storm_job import complete

    from unlost.batch.gate._throttle import Throttle

    throttle = Throttle((), max_hold=3600)
    left = iter(prompts)
    async with complete() as call:

        async def worker() -> None:
            for prompt in left:
                while not await performed({"prompt": prompt}):
                    pass

        async def performed(item: dict[str, str]) -> bool:
            ticket = throttle.try_enter() or await throttle.enter()
            try:
                await call(item)
            except aiohttp.ClientResponseError as error:
                if error.status != 429:
                    raise
                throttle.refused(ticket, error)
                return False
            throttle.answered(ticket)
            return True

        await asyncio.gather(*(worker() for _ in range(limit)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("-j", "--limit", type=int, default=500)
    parser.add_argument("--allow", default="200/s")
    parser.add_argument("--burst", default="50")
    parser.add_argument("--latency", default="0.1")
    parser.add_argument("--retry-after", default="seconds")
    parser.add_argument("--alone", action="store_true")
    told = parser.parse_args()
    rate = float(told.allow.removesuffix("/s"))
    flags = ["--allow", told.allow, "--burst", told.burst, "--latency", told.latency, "--retry-after", told.retry_after]
    run: Callable[[PaidApi, Path, list[str], int], None] = alone if told.alone else through_the_runner
    with tempfile.TemporaryDirectory(prefix="unlost-storm-") as made, PaidApi(Path(made), *flags) as api:
        began = perf_counter()
        run(api, Path(made), [f"prompt {number}" for number in range(told.items)], told.limit)
        seconds = perf_counter() - began
        calls = api.log()
        answered = sum(call.status == 200 for call in calls)
    print(f"{told.items:,} items, {told.limit} at once, {told.allow} (burst {told.burst}), {told.latency} s a call")
    print(f"calls    {len(calls):,}, {len(calls) / told.items:.4f} for each item; {answered:,} answered")
    print(f"seconds  {seconds:.1f}, {seconds * rate / told.items:.3f} times what the allowance demands")


if __name__ == "__main__":
    main()
