"""
`unlost run` beside `async-batch-llm` with its SQLite checkpoints.

    python benchmarks/run_rivals.py [--rounds 3] [--limit 400] [--items-noop 20000] [--items-waiting 10000] [--folder .]

The same two jobs as in `run_throughput.py`. `async-batch-llm` runs as its documentation has it for large runs
(`_run_batch_llm.py`). `full` is its durability that survives a power cut, as `unlost run` has it by default;
`balanced` is its own default; `resume` looks each item up in the checkpoints first, which is what makes a restart
continue. POSIX only.
"""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import version
from pathlib import Path

from _run_measure import Contender, in_process, report, rounds, unlost_run

OURS = "unlost run"


def contenders(job: str, items: int, limit: int) -> list[Contender]:
    def rival(durability: str, resume: str) -> Contender:
        name = f"async-batch-llm {durability}{', resume' if resume != 'none' else ''}"
        return in_process(name, "_run_batch_llm.py", job, items, limit, durability, resume)

    return [
        unlost_run(OURS, job, limit),
        unlost_run("unlost run --durability process", job, limit, "--durability", "process"),
        rival("full", "none"),
        rival("full", "reuse_successes"),
        rival("balanced", "none"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="unlost run beside async-batch-llm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--items-noop", type=int, default=20_000)
    parser.add_argument("--items-waiting", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, default=Path(), help="where journals are written, and deleted again")
    args = parser.parse_args()
    print(f"CPython {platform.python_version()}, async-batch-llm {version('async-batch-llm')}, limit {args.limit}")
    for job, items in [("noop", args.items_noop), ("wait", args.items_waiting)]:
        print(f"\n{job}: ", end="")
        report(rounds(contenders(job, items, args.limit), items, args.rounds, args.folder), items, OURS)


if __name__ == "__main__":
    main()
