"""
Where the CPU time of `unlost run` goes: by thread, and by part.

    pip install py-spy
    python benchmarks/run_profile.py [--job noop] [--items 100000] [--limit 400] [flags of unlost run]

The CPU time of each thread is what its own clock says when it ends. How it divides into parts is sampled by py-spy: 500
times a second, which thread holds the interpreter's lock, and inside which of our functions. What a thread used beyond
that it used without the lock: SQLite, and the system calls. Sampling slows the run down; compare shares.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import thread_time

RATE = 500

PARTS = (
    # thread, what the innermost of our frames looks like, part
    ("unlost-scan", r"batch/source/_(?!keys)", "scan: read and parse"),
    ("unlost-scan", r"batch/source/_keys", "scan: key"),
    ("unlost-scan", r".", "scan: else"),
    ("unlost-journal", r"batch/journal/_index", "journal: enter the source"),
    ("unlost-journal", r"Journal\._?claim", "journal: claims"),
    ("unlost-journal", r"Journal\.end", "journal: outcomes"),
    ("unlost-journal", r"batch/journal/_results|_store", "journal: acknowledge, results file"),
    ("unlost-journal", r".", "journal: else"),
    ("MainThread", r"ended_of|batch/_values|batch/_letters", "encode the outcome"),
    ("MainThread", r"batch/source/", "parse the record"),
    ("MainThread", r"batch/gate/", "the gate: seats, rates, rests"),
    ("MainThread", r"batch/_perform|batch/_context|batch/target/", "perform: context, nesting"),
    ("MainThread", r"unlost/policies/", "retry, deadlines"),
    ("MainThread", r"batch/journal/_claims|_handed_out", "take claims"),
    ("MainThread", r"acknowledge|_deliver", "acknowledge"),
    ("MainThread", r"batch/", "engine: begin, settle, put"),
    ("MainThread", r"unlost/_core/", "stream: a task an item, hand-over"),
    ("MainThread", r"_run_jobs", "the job"),
    ("MainThread", r"asyncio", "event loop"),
    ("MainThread", r".", "start-up, summary"),
)


def run_timed(arguments: Sequence[str], told: Path) -> int:
    """Run the command in this process; write the CPU seconds of each of its threads to ``told``."""
    from unlost.cli import main

    seconds: Counter[str] = Counter()
    run = threading.Thread.run

    def run_and_note(thread: threading.Thread) -> None:
        run(thread)
        seconds[thread.name] += thread_time()

    threading.Thread.run = run_and_note
    code = main(arguments)
    seconds["MainThread"] += thread_time()
    told.write_text(json.dumps(seconds), encoding="utf-8")
    return code


def part_of(stack: list[str]) -> str:
    """Return the part that a sample belongs to, by the innermost frame that is ours."""
    thread = stack[0].rpartition(": ")[2]
    steps = [number for number, frame in enumerate(stack) if frame.startswith("Handle._run")]
    inner = stack[steps[-1] :] if steps else stack[1:]
    ours = [frame for frame in inner if "unlost/" in frame or "_run_jobs" in frame]
    is_loop = thread == "MainThread" and any("run_forever" in frame for frame in stack)
    innermost = ours[-1] if ours and (steps or not is_loop) else "asyncio" if is_loop else "none"
    if thread == "MainThread" and not is_loop:
        return "start-up, summary"
    return next((part for of, pattern, part in PARTS if of == thread and re.search(pattern, innermost)), thread)


def report(samples: Path, seconds: dict[str, float], items: int) -> None:
    parts: dict[str, Counter[str]] = {}
    for line in samples.read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        parts.setdefault(frames[0].rpartition(": ")[2], Counter())[part_of(frames)] += int(count)
    for thread, used in sorted(seconds.items(), key=lambda each: -each[1]):
        print(f"{thread:40}{used / items * 1e6:7.2f} µs an item")
        counted = parts.get(thread, Counter())
        sampled = counted.total() / RATE
        # who holds the lock may have to wait for a processor
        each = min(1.0, used / max(sampled, 1 / RATE)) / RATE / items * 1e6
        for part, count in counted.most_common():
            print(f"    {part:36}{count * each:7.2f}")
        print(f"    {'without the lock: SQLite, system':36}{max(0.0, used - sampled) / items * 1e6:7.2f}")
    print(f"{'together':40}{sum(seconds.values()) / items * 1e6:7.2f} µs an item")


def main() -> None:
    parser = argparse.ArgumentParser(description="where the CPU time of unlost run goes", allow_abbrev=False)
    parser.add_argument("--job", default="noop")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--limit", type=int, default=400)
    args, flags = parser.parse_known_args()
    here = Path(__file__).resolve()
    with tempfile.TemporaryDirectory(prefix="unlost-benchmark-", dir=Path.cwd()) as folder:
        samples, told, inputs = Path(folder, "samples"), Path(folder, "told"), Path(folder, "in.jsonl")
        inputs.write_text("".join(f'{{"n": {n}}}\n' for n in range(args.items)), encoding="utf-8")
        spy = ["py-spy", "record", "--gil", "-t", "-r", str(RATE), "-f", "raw", "-o", str(samples), "--"]
        run = ["run", f"_run_jobs:{args.job}", "in.jsonl", "-j", str(args.limit), "--quiet", *flags]
        # the script's own folder is on the path: there is the job
        command = [*spy, sys.executable, str(here), "--inside", str(told), *run]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if f"{args.items:,} ok" not in done.stdout:
            raise RuntimeError(f"unlost run did not end as expected:\n{done.stdout}{done.stderr}")
        print(f"CPython {platform.python_version()}, {args.job}, {args.items:,} items, limit {args.limit}")
        report(samples, json.loads(told.read_text(encoding="utf-8")), args.items)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        sys.exit(run_timed(sys.argv[3:], Path(sys.argv[2])))
    main()
