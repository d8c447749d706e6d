"""
At-least-once; nothing is silently done twice; the results file holds each key once; the books balance.

The process is killed with SIGKILL at random moments. What it did is read from a log that the job appends to, never from
the journal that is under test.
"""

from __future__ import annotations

import collections
import os
import random
import time
from pathlib import Path

import pytest

from support.command import LOGGING_JOB, CommandLine, logged

KILLS = 30
ITEMS = 6000


@pytest.mark.slow
@pytest.mark.stock
@pytest.mark.timeout(400)
def test_kill_9_at_any_moment_loses_no_outcome_and_repeats_nothing_that_was_not_listed_in_doubt(tmp_path: Path) -> None:
    seed = int(os.environ.get("UNLOST_SEED", random.randrange(10**6)))
    print(f"UNLOST_SEED={seed}")
    generator = random.Random(seed)
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", LOGGING_JOB)
    unlost.write_inputs(ITEMS)
    arguments = ("run", "jobs:work", "in.jsonl", "-j", "20", "--out", "results.jsonl", "--in-doubt", "retry", "--quiet")
    allowed_starts = collections.Counter(range(ITEMS))
    acknowledged: dict[str, object] = {}

    kills = 0
    while kills < KILLS:
        killed = _kill_somewhere(unlost, arguments, generator)
        books = _check_after_a_kill(unlost, allowed_starts, acknowledged)
        assert killed or books["pending"] == 0
        if not killed:
            break
        kills += 1
    final = unlost(*arguments)

    assert final.returncode == 1, final.stderr
    assert kills == KILLS, f"the inputs were done after {kills} kills; make it more inputs"
    results = unlost.results()
    assert sorted(line["value"] for line in results) == sorted(n * n for n in range(ITEMS) if n % 10 != 3)
    assert len({line["key"] for line in results}) == len(results)
    books = unlost.json("show", "work-1")["books"]
    assert (books["ok"], books["failed"], books["in_doubt"], books["balance"]) == (
        ITEMS * 9 // 10,
        ITEMS // 10,
        0,
        True,
    )
    starts = collections.Counter(logged(tmp_path, "start"))
    assert {n for n in starts if starts[n] > allowed_starts[n]} == set()


def _kill_somewhere(unlost: CommandLine, arguments: tuple[str, ...], generator: random.Random) -> bool:
    """Start the command, kill it at a random moment after its first item; return whether it was still alive."""
    log = unlost.folder / "log.txt"
    size = log.stat().st_size if log.exists() else 0
    process = unlost.start(*arguments)
    while process.poll() is None and (log.stat().st_size if log.exists() else 0) == size:
        time.sleep(0.002)  # until the log of another process grows
    time.sleep(generator.uniform(0, 0.12))
    process.kill()
    process.communicate()
    return process.returncode == -9


def _check_after_a_kill(
    unlost: CommandLine, allowed_starts: collections.Counter[int], acknowledged: dict[str, object]
) -> dict[str, int]:
    view = unlost.json("show", "work-1")
    in_doubt = {entry["line"] - 1 for entry in view["in_doubt"]}
    ended = view["books"]["ok"] + view["books"]["failed"]
    started = set(logged(unlost.folder, "start"))
    results = {line["key"]: line["value"] for line in unlost.results()}

    assert view["books"]["balance"]
    assert len(in_doubt) == view["books"]["in_doubt"]
    # Whatever was started is known to have ended, or is listed: by number and by name
    assert len(started - in_doubt) <= ended
    assert acknowledged.items() <= results.items()
    acknowledged.update(results)
    for n in in_doubt:
        allowed_starts[n] += 1
    return dict(view["books"])
