"""Money: what the journal says was spent is what the service charged, to the cent, and paid work is not paid again."""

from __future__ import annotations

import os
import random
import time
from decimal import Decimal
from pathlib import Path

import pytest

from support.command import CommandLine
from support.paid_job import CORRECTED, prepare
from support.paid_process import PaidApi
from unlost.batch import Folder, read_in_doubt
from unlost.batch.journal._spend import NANO

pytestmark = [pytest.mark.stock, pytest.mark.timeout(300)]

KILLS = 6


@pytest.mark.slow
def test_what_was_spent_is_what_the_service_charged_after_any_number_of_kills(tmp_path: Path) -> None:
    seed = int(os.environ.get("UNLOST_SEED", random.randrange(10**6)))
    print(f"UNLOST_SEED={seed}")
    generator = random.Random(seed)
    with PaidApi(tmp_path, "--latency", "0.03", "--fail-every", "11", "--broken-every", "7") as api:
        unlost = prepare(tmp_path / "here", api, 600)
        arguments = ("run", "jobs:complete", "in.jsonl", "-j", "10", "--in-doubt", "retry", "--quiet")
        for _ in range(KILLS):
            _kill_when_it_was_charged(unlost, arguments, api, generator)
            _check_all_but_what_is_in_doubt(unlost, api)
        ended = unlost(*arguments)
        unlost.write("jobs.py", CORRECTED)
        corrected = unlost("retry", "complete-1", "--quiet")
        again = unlost("retry", "complete-1", "--quiet") if corrected.returncode == 1 else corrected

        shown = unlost.json("show", "complete-1")

        assert (ended.returncode, again.returncode) == (1, 0), ended.stderr + again.stderr
        assert (shown["books"]["ok"], shown["books"]["balance"]) == (600, True)
        assert Decimal(shown["spent"]["usd"]) == api.total_usd()
        assert shown["spent"]["unknown_items"] == 0
        assert len(api.charged()) == 600 + sum(call.word == "failed" for call in api.log())  # each answer paid once


def test_a_corrected_parser_costs_no_further_call(tmp_path: Path) -> None:
    with PaidApi(tmp_path, "--broken-every", "4") as api:
        unlost = prepare(tmp_path / "here", api, 80)
        broken = unlost("run", "jobs:complete", "in.jsonl", "--quiet")
        calls, charged = api.calls(), api.total_usd()
        unlost.write("jobs.py", CORRECTED)
        corrected = unlost("retry", "complete-1", "--quiet")

        shown = unlost.json("show", "complete-1")

        assert (broken.returncode, corrected.returncode) == (1, 0), broken.stderr + corrected.stderr
        assert (shown["books"]["ok"], calls) == (80, 80)
        assert (api.calls(), api.total_usd()) == (calls, charged)
        assert Decimal(shown["spent"]["usd"]) == charged


def test_a_known_failure_is_asked_anew_and_what_is_in_doubt_is_not_charged_again(tmp_path: Path) -> None:
    with PaidApi(tmp_path, "--fail-every", "5") as api:
        unlost = prepare(tmp_path / "here", api, 10)
        unlost("run", "jobs:complete", "in.jsonl", "-j", "1", "--quiet")
        unlost("retry", "complete-1", "--quiet")  # with new keys: the service would replay its failures

        shown = unlost.json("show", "complete-1")

        assert [call.word for call in api.log()].count("replayed") == 0
        assert (shown["books"]["ok"], len(api.charged())) == (10, 12)
        assert Decimal(shown["spent"]["usd"]) == api.total_usd()


@pytest.mark.parametrize(("flags", "ok"), [(("--quota", "30"), 30), (("--key", "another"), 0)])
def test_an_exhausted_quota_or_a_wrong_key_stops_the_run_before_it_costs_an_item(
    tmp_path: Path, flags: tuple[str, str], ok: int
) -> None:
    with PaidApi(tmp_path, *flags) as api:
        unlost = prepare(tmp_path / "here", api, 100)
        poor = unlost("run", "jobs:complete", "in.jsonl", "-j", "5", "--quiet")

        books = unlost.json("show", "complete-1")["books"]

        assert poor.returncode == 3, poor.stdout
        assert (books["ok"], books["failed"], books["in_doubt"], books["pending"]) == (ok, 0, 0, 100 - ok)
        assert api.calls() <= ok + 5


def _kill_when_it_was_charged(
    unlost: CommandLine, arguments: tuple[str, ...], api: PaidApi, generator: random.Random
) -> None:
    calls = api.calls()
    process = unlost.start(*arguments)
    while process.poll() is None and api.calls() == calls:
        time.sleep(0.005)  # until the log of another process grows
    time.sleep(generator.uniform(0, 0.25))
    process.kill()
    process.communicate()


def _check_all_but_what_is_in_doubt(unlost: CommandLine, api: PaidApi) -> None:
    """Of each item that is not in doubt the journal has what the service charged; of the others it says: unknown."""
    folder = Folder(unlost.folder / ".unlost")
    with folder.open("complete-1") as connection:
        assert connection is not None
        in_doubt = {one.line for one in read_in_doubt(connection)}
        rows = connection.execute("SELECT line, sum(nano_usd) FROM spend JOIN item ON item.id = item GROUP BY line")
        spent = {line: Decimal(nano) / NANO for line, nano in rows}
    charged: dict[int, Decimal] = {}
    for call in api.charged():
        line = 1 + int(call.prompt.removeprefix("prompt "))
        charged[line] = charged.get(line, Decimal(0)) + call.usd

    assert {line: usd for line, usd in charged.items() if line not in in_doubt} == {
        line: usd for line, usd in spent.items() if line not in in_doubt
    }
    assert all(spent.get(line, 0) <= charged.get(line, 0) for line in in_doubt)
    shown = unlost.json("show", "complete-1")
    assert shown["spent"]["unknown_items"] == len(in_doubt)
    assert Decimal(shown["spent"]["usd"]) == sum(spent.values())
