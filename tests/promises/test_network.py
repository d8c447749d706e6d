"""
A lost network costs no dead letters: the run waits until it is back.

``UNLOST_SLOW=1`` makes it a minute.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from support.paid_job import prepare
from support.paid_process import PaidApi
from support.waiting import until

pytestmark = [pytest.mark.stock, pytest.mark.slow, pytest.mark.timeout(400)]

SECONDS = 60 if os.environ.get("UNLOST_SLOW") else 8
ITEMS = 500


@pytest.mark.parametrize("concurrency", [1, 20, 100])
def test_some_time_without_network_costs_no_dead_letters_and_no_attempts(tmp_path: Path, concurrency: int) -> None:
    with PaidApi(tmp_path, "--latency", f"{min(0.1, 0.005 * concurrency)}") as api:
        unlost = prepare(tmp_path / "here", api, ITEMS)
        process = unlost.start("run", "jobs:complete", "in.jsonl", "-j", str(concurrency), "--attempts", "1", "--quiet")
        until(lambda: api.calls() > 100)
        api.down()
        time.sleep(SECONDS)  # of the service's own absence
        calls = api.calls()
        api.up()
        _out, told = process.communicate(timeout=200)

        shown = unlost.json("show", "complete-1")

        books = shown["books"]
        assert (process.returncode, books["ok"], books["failed"]) == (0, ITEMS, 0), told + str(shown["groups"])
        assert (books["in_doubt"], books["pending"], books["retries"], books["balance"]) == (0, 0, 0, True)
        assert calls < ITEMS
        assert api.calls() <= ITEMS + concurrency  # what was under way was asked again, and nothing else
        assert shown["paused"]["outages"] == 1
