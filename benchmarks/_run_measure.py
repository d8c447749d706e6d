"""
Contenders in processes of their own, one after the other, round after round.

Each process starts with nothing imported and in an empty folder, reads the same file of inputs and calls the same
function. Its wall time and its CPU time (all threads) are the whole process's. Where its phases begin and end is told
by the stamps of four items: the first, the last, and those at one and at nine tenths. For `unlost run` an item has
ended when its outcome is about to be committed (the journal's own stamp), for the others when their caller has the
result.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from time import perf_counter, time

from _run_marks import positions

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Timing:
    """
    One process over so many items.

    Attributes:
        wall: Seconds of the whole process.
        cpu: Seconds of CPU, all of its threads.
        before: Seconds from the start of the process to the end of the first item.
        steady: Items a second, from one tenth of the items to nine.
        after: Seconds from the end of the last item to the end of the process.
    """

    wall: float
    cpu: float
    before: float
    steady: float
    after: float


@dataclass(frozen=True, slots=True)
class Contender:
    """
    A command, and how to learn from its folder and its output when items ended.

    Attributes:
        name: For the table.
        arguments: To Python.
        times: Takes folder, output and the number of items; returns the four stamps, having checked the counts.
        python: The interpreter that runs it: another environment's has another version of unlost.
    """

    name: str
    arguments: Sequence[str]
    times: Callable[[Path, str, int], list[float]]
    python: str = sys.executable


def in_process(name: str, script: str, job: str, items: int, limit: int, *more: str) -> Contender:
    """Return the contender of a script that prints its ``Marks``."""
    return Contender(name, [str(HERE / script), job, "../in.jsonl", str(items), str(limit), *more], _printed)


def unlost_run(name: str, job: str, limit: int, *flags: str, python: str = sys.executable) -> Contender:
    """Return `unlost run` itself, as it is typed, with the unlost that ``python`` imports."""
    command = ["-m", "unlost", "run", f"_run_jobs:{job}", "../in.jsonl", "-j", str(limit), "--quiet", *flags]
    return Contender(name, command, _journaled, python)


def rounds(contenders: Sequence[Contender], items: int, count: int, folder: Path) -> dict[str, list[Timing]]:
    """Let the contenders take turns, ``count`` times; a first turn does not count."""
    timings: dict[str, list[Timing]] = {contender.name: [] for contender in contenders}
    with tempfile.TemporaryDirectory(prefix="unlost-benchmark-", dir=folder.resolve()) as made:
        inputs = Path(made, "in.jsonl")
        inputs.write_text("".join(f'{{"n": {n}}}\n' for n in range(items)), encoding="utf-8")
        print(f"{items:,} items, {count} rounds; a sync of 4 KiB takes {sync_ms(Path(made)):.2f} ms here", flush=True)
        for number in range(count + 1):
            for contender in contenders:
                timing = measure(contender, items, Path(made, "run"))
                if number:  # the first round fills the caches of the file system and writes the .pyc files
                    timings[contender.name].append(timing)
    return timings


def measure(contender: Contender, items: int, folder: Path) -> Timing:
    """Run one contender in an empty folder."""
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    cpu_before = _children_cpu()
    began, began_at = perf_counter(), time()
    done = subprocess.run(
        [contender.python, *contender.arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    wall, ended_at = perf_counter() - began, time()
    cpu = _children_cpu() - cpu_before
    if done.returncode != 0:
        raise RuntimeError(f"{contender.name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    first, early, late, last = contender.times(folder, done.stdout, items)
    shutil.rmtree(folder)
    span = items * 9 // 10 - max(1, items // 10)
    return Timing(wall, cpu, first - began_at, span / (late - early), ended_at - last)


def median(timings: Sequence[Timing]) -> Timing:
    """Return the median of each figure by itself."""
    return Timing(*(statistics.median(getattr(each, field.name) for each in timings) for field in fields(Timing)))


def report(timings: dict[str, list[Timing]], items: int, base: str) -> None:
    """Print the medians, beside those of ``base``."""
    print(
        f"{'':34}{'wall s':>8}{'spread':>14}{'items/s':>9}{'× base':>8}"
        f"{'steady/s':>10}{'× base':>8}{'CPU µs/item':>13}{'before s':>10}{'after s':>9}"
    )
    reference = median(timings[base])
    for name, each in timings.items():
        found = median(each)
        spread = f"{min(one.wall for one in each):.2f}-{max(one.wall for one in each):.2f}"
        print(
            f"{name:34}{found.wall:8.2f}{spread:>14}{items / found.wall:9,.0f}{reference.wall / found.wall:8.3f}"
            f"{found.steady:10,.0f}{found.steady / reference.steady:8.3f}{found.cpu / items * 1e6:13.1f}"
            f"{found.before:10.2f}{found.after:9.2f}",
            flush=True,
        )


def sync_ms(folder: Path) -> float:
    """Return the milliseconds that a small synced write takes: what each commit waits for, at least."""
    seconds = []
    with Path(folder, "sync").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(4096))
            began = perf_counter()
            os.fsync(file.fileno())
            seconds.append(perf_counter() - began)
    return statistics.median(seconds) * 1000


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _printed(_folder: Path, output: str, items: int) -> list[float]:
    told = json.loads(output)
    if (told["ok"], told["failed"]) != (items, 0):
        raise AssertionError(f"expected {items} ok, got {told}")
    times: list[float] = told["times"]
    return times


def _journaled(folder: Path, _output: str, items: int) -> list[float]:
    (journal,) = folder.glob(".unlost/*.db")
    with closing(sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)) as connection:
        (ok,) = connection.execute("SELECT count(*) FROM outcome WHERE ok").fetchone()
        if ok != items:
            raise AssertionError(f"expected {items} ok, got {ok}")
        seqs = ",".join(map(str, positions(items)))
        return [
            ended for (ended,) in connection.execute(f"SELECT ended FROM outcome WHERE seq IN ({seqs}) ORDER BY seq")
        ]
