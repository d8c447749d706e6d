"""
What policies around one call cost: retries, breakers, limits, hedges, fallbacks, and several at once.

    python benchmarks/policies.py [--calls 5000] [--rounds 9] [--only retry timeout ...] [--fastest]

The operation returns at once: what is measured is the policies. On one path nothing fails, on the other every third
call of the operation does. The contenders take turns in one process, round after round, so that a busy moment of the
machine hits all of them; the medians are compared, or with `--fastest` the fastest rounds, for a machine on which
other work runs. How many values and how many errors each contender hands over is checked. Waits are 0 everywhere.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import platform
import statistics
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Final, TypeAlias

import _policies_peers
import _policies_plain
import _policies_unlost
from _policies_frame import BARE, FAILING, JOBS, Call, Make, fails_at_times, succeeds

import unlost

PATHS: Final = {"nothing fails": succeeds, "every third fails": fails_at_times}

Contender: TypeAlias = tuple[str, str, str]  # job, name, path
Took: TypeAlias = dict[Contender, float]  # µs a call


def main() -> None:
    parser = argparse.ArgumentParser(description="what policies around one call cost, beside other libraries'")
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS), metavar="JOB")
    parser.add_argument("--fastest", action="store_true", help="compare the fastest rounds, not the medians")
    args = parser.parse_args()
    if missing := _policies_peers.missing_peers():
        print(f"not installed, left out: {', '.join(missing)}. Write: pip install 'unlost[bench]'", file=sys.stderr)
    print(f"CPython {platform.python_version()}, {args.calls:,} calls, {args.rounds} rounds")
    rounds = measure_all(args.only, args.calls, args.rounds)
    of_rounds = min if args.fastest else statistics.median
    took = {contender: of_rounds(each) for contender, each in rounds.items()}
    for job in args.only:
        print_table(job, took)
    print_aims(args.only, took)


def contenders_of(job: str) -> dict[str, Make]:
    rooms = (_policies_plain, _policies_unlost, _policies_peers)
    return {name: make for room in rooms for name, make in room.CONTENDERS.by_job[job].items()}


def measure_all(jobs: list[str], calls: int, rounds: int) -> dict[Contender, list[float]]:
    """Return the microseconds of one call, in each round."""
    took: dict[Contender, list[float]] = {
        (job, name, path): [] for job in jobs for name in contenders_of(job) for path in PATHS
    }
    with unlost.listen(lambda _event: None):  # as the others' loggers, which have a handler that drops everything
        for turn in range(-1, rounds):  # the first one, a short one, does not count
            for job, name, path in took:
                is_mended = JOBS[job].mends and name != BARE
                make = contenders_of(job)[name]
                each = measure(name, make, PATHS[path], calls if turn >= 0 else calls // 10, is_mended)
                if turn >= 0:
                    took[job, name, path].append(each)
    return took


def measure(name: str, make: Make, operation: Callable[[], Call], calls: int, is_mended: bool) -> float:
    """Return the microseconds of one call, after checking that all values and errors came out."""
    gc.collect()
    seconds, values, failures = asyncio.run(_timed(make, operation, calls))
    expected = calls // FAILING if operation is fails_at_times and not is_mended else 0
    if (values, failures) != (calls - expected, expected):
        raise AssertionError(f"{name}: {values} values and {failures} errors, expected {expected} errors of {calls}")
    return seconds / calls * 1e6


async def _timed(make: Make, operation: Callable[[], Call], calls: int) -> tuple[float, int, int]:
    call = make(operation())
    values = failures = 0
    started = perf_counter()
    for _ in range(calls):
        try:
            values += await call()
        except ConnectionError:
            failures += 1
    return perf_counter() - started, values, failures


def print_table(job: str, took: Took) -> None:
    print(f"\n| {job}: {JOBS[job].text} | {' | '.join(f'{path}, µs | × base' for path in PATHS)} |")
    print(f"| --- {'| --- ' * len(PATHS) * 2}|")
    for name in contenders_of(job):
        cells = [f"{took[job, name, path]:.2f} | {ratio(took, job, name, path)}" for path in PATHS]
        print(f"| {name} | {' | '.join(cells)} |")


def ratio(took: Took, job: str, name: str, path: str) -> str:
    base = JOBS[job].base
    return f"{took[job, name, path] / took[job, base, path]:.2f}×"


def print_aims(jobs: list[str], took: Took) -> None:
    """Print what was aimed at where nothing fails, and what came."""
    path = "nothing fails"
    print()
    if "retry" in jobs:
        ours, by_hand = took["retry", "unlost.Retry.call", path], took["retry", "a loop by hand", path]
        print(f"a retry that does not retry, at most 3× a loop by hand: {ours / by_hand:.2f}×")
    if "timeout" in jobs:
        bare = took["timeout", "asyncio.timeout", path]
        ours = took["timeout", "unlost.timeout, async with", path]
        print(f"a timeout, at most asyncio's: {ours / bare:.2f}×")
        if "pipeline" in jobs:
            ours = took["pipeline", JOBS["pipeline"].base, path]
            print(f"deadline, retry and breaker, at most one asyncio.timeout + 1 µs: {ours:.2f} of {bare + 1:.2f} µs")


if __name__ == "__main__":
    main()
