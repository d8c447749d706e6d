"""
`unlost run` beside a bare asyncio loop without any journal.

    python benchmarks/run_throughput.py [--rounds 5] [--limit 400] [--items-waiting 40000] [--items-noop 100000]
                                        [--folder .] [--before PYTHON]

Two jobs: one that waits 30 to 70 ms, as a service would make it (aim: 90% of the bare loop's throughput), and one that
does nothing (aim: 15,000 durable items a second). The contender is the command itself, in a process of its own, with
its interpreter, imports, scan of the inputs, journal and summary; the bare loop is a process of its own as well, with a
pool of workers that read the same file, parse each line and call the same function, and keep nothing but two counts.
The disk counts: name a folder on the one you mean. POSIX only.

With `--before`, the Python of an environment that has an earlier unlost, that `unlost run` and this one take
turns, and the earlier one is the table's base.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path

from _run_measure import Contender, in_process, report, rounds, unlost_run

BARE = "bare loop, nothing kept"
BEFORE = "unlost run, before"


def contenders(job: str, items: int, limit: int, before: str | None) -> list[Contender]:
    if before:
        return [unlost_run(BEFORE, job, limit, python=before), unlost_run("unlost run", job, limit)]
    return [
        in_process(BARE, "_run_bare.py", job, items, limit),
        unlost_run("unlost run", job, limit),
        unlost_run("unlost run --out", job, limit, "--out", "results.jsonl"),
        unlost_run("unlost run --durability process", job, limit, "--durability", "process"),
        unlost_run("unlost run, all options", job, limit, "--attempts", "5", "--timeout", "10", "--deadline", "60"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="unlost run beside a bare asyncio loop")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--items-waiting", type=int, default=40_000)
    parser.add_argument("--items-noop", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path(), help="where journals are written, and deleted again")
    parser.add_argument("--before", metavar="PYTHON", help="compare only with the unlost that this Python imports")
    args = parser.parse_args()
    print(f"CPython {platform.python_version()}, limit {args.limit}")
    for job, items in [("wait", args.items_waiting), ("noop", args.items_noop)]:
        print(f"\n{job}: ", end="")
        found = rounds(contenders(job, items, args.limit, args.before), items, args.rounds, args.folder)
        report(found, items, BEFORE if args.before else BARE)


if __name__ == "__main__":
    main()
