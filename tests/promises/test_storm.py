"""
A storm of 429s with 500 calls at once needs at most 5% more calls than the service's allowance demands.

In real time, between two processes: a machine that has no time for them makes calls late and in heaps.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.paid_job import prepare
from support.paid_process import PaidApi

pytestmark = [pytest.mark.stock, pytest.mark.slow, pytest.mark.timeout(300)]

ITEMS = 6000

# aiohttp: httpx goes through all its 500 connections for each call, which takes more than there is of one processor
JOB = """
import contextlib, os

import aiohttp
import unlost


@unlost.job(timeout=30)
@contextlib.asynccontextmanager
async def complete():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), raise_for_status=True) as session:

        async def ask(item):
            async with session.post(os.environ["PAID_URL"] + "/v1/complete", json=item) as response:
                return (await response.json())["text"]

        yield ask
"""


def test_500_calls_at_once_against_200_a_second_are_refused_5_times_in_100_at_most(tmp_path: Path) -> None:
    flags = ("--allow", "200/s", "--burst", "50", "--latency", "0.1", "--retry-after", "seconds")
    with PaidApi(tmp_path, *flags) as api:
        unlost = prepare(tmp_path / "here", api, ITEMS)
        unlost.write("jobs.py", JOB)
        ended = unlost("run", "jobs:complete", "in.jsonl", "-j", "500", "--quiet")

        books = unlost.json("show", "complete-1")["books"]

        words = [call.word for call in api.log()]
        assert (ended.returncode, books["ok"], books["failed"], books["balance"]) == (0, ITEMS, 0, True), ended.stderr
        assert books["retries"] == 0
        assert words.count("ok") == ITEMS
        assert len(words) <= 1.05 * ITEMS, f"{os.getloadavg()[0]:.1f} processes want {os.cpu_count()} processors"
