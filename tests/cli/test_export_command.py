"""``unlost export`` and ``unlost purge`` as they are typed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.command import CommandLine

pytestmark = pytest.mark.stock

JOB = """
import asyncio
import os


async def dies(item):
    await asyncio.sleep(0.1)
    if item["n"] == 3:
        os._exit(1)


async def work(item):
    if item["n"] % 3 == 0 and not item.get("fixed"):
        raise KeyError(item["n"])
    return item["n"]


async def fixed(item):
    return item["n"]
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", JOB)
    unlost.write_inputs(7)
    unlost("run", "jobs:work", "in.jsonl", "--out", "results.jsonl", "--quiet")
    return unlost


def test_dead_letters_run_again_as_a_source_under_their_keys(unlost: CommandLine) -> None:
    exported = unlost("export", "work-1", "--dead")
    unlost.write("dead.jsonl", exported.stdout)

    rerun = unlost("run", "jobs:fixed", "dead.jsonl", "--out", "fixed.jsonl")

    keys = [json.loads(line)["key"] for line in exported.stdout.splitlines()]
    assert (exported.returncode, rerun.returncode) == (0, 0), exported.stderr + rerun.stderr
    assert sorted(line["key"] for line in unlost.results("fixed.jsonl")) == sorted(keys)
    assert sorted(line["value"] for line in unlost.results("fixed.jsonl")) == [0, 3, 6]


def test_what_to_export_must_be_said(unlost: CommandLine) -> None:
    done = unlost("export", "work-1")

    assert done.returncode == 2
    assert "one of the arguments --ok --dead --all is required" in done.stderr


def test_a_file_is_written_once(unlost: CommandLine) -> None:
    first = unlost("export", "work-1", "--ok", "--out", "ok.jsonl")
    second = unlost("export", "work-1", "--dead", "--out", "ok.jsonl")
    third = unlost.json("export", "work-1", "--dead", "--out", "ok.jsonl", "--force")

    assert "4 lines in ok.jsonl" in first.stderr
    assert (second.returncode, first.stdout) == (2, "")
    assert "write --force" in second.stderr
    assert third == {"run": "work-1", "file": "ok.jsonl", "lines": 3}
    assert len(unlost.results("ok.jsonl")) == 3


@pytest.mark.parametrize(
    ("out", "said"), [("results.jsonl", "is the results file of run work-1"), (".unlost/work-1.db", "is the journal")]
)
def test_what_the_run_itself_writes_is_not_replaced(unlost: CommandLine, out: str, said: str) -> None:
    before = (unlost.folder / out).read_bytes()

    done = unlost("export", "work-1", "--ok", "--force", "--out", out)

    assert done.returncode == 2
    assert said in done.stderr
    assert (unlost.folder / out).read_bytes() == before


def test_what_has_not_ended_is_said_not_to_be_in_it(unlost: CommandLine) -> None:
    unlost("run", "jobs:dies", "in.jsonl", "-j", "1", "--quiet")
    unlost("run", "jobs:fixed", "in.jsonl", "--first", "2", "--quiet")

    died = unlost("export", "dies-1", "--ok")
    cut = unlost("export", "fixed-1", "--ok")

    assert re.search("run dies-1 has besides [1-4] in doubt, [0-3] pending", died.stderr)
    assert "run fixed-1 has besides a source that was not read to its end" in cut.stderr
    assert unlost("export", "work-1", "--ok").stderr == ""


def test_a_reader_who_leaves_had_what_it_wanted(unlost: CommandLine) -> None:
    command = f"{sys.executable} -m unlost export work-1 --all | head -n 1"

    done = subprocess.run(
        command, shell=True, cwd=unlost.folder, env=unlost.environment, capture_output=True, text=True
    )

    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_standard_output_is_utf_8_whatever_the_terminal_is(unlost: CommandLine) -> None:
    unlost.write("words.txt", "ä→\n")
    unlost.write("words.py", "async def same(item):\n    return item\n")
    unlost("run", "words:same", "words.txt", "--quiet")
    environment = {**unlost.environment, "PYTHONIOENCODING": "ascii"}

    done = subprocess.run(
        [sys.executable, "-m", "unlost", "export", "same-1", "--ok"],
        cwd=unlost.folder, env=environment, capture_output=True,
    )  # fmt: skip

    assert json.loads(done.stdout)["value"] == "ä→"


def test_purge_says_what_it_deleted(unlost: CommandLine) -> None:
    refused = unlost("purge", "work-1")
    inputs = unlost("purge", "work-1", "--inputs")
    shown = unlost("show", "work-1")
    done = unlost("purge", "work-1", "--yes")

    assert refused.returncode == 2
    assert "has 3 failed" in refused.stderr
    assert "4 inputs" in inputs.stdout
    assert "inputs purged: 4, with what was kept of those items" in shown.stdout
    assert "deleted run work-1: 4 ok · 3 failed · 0 in doubt" in done.stdout
    assert "work-1.db" in done.stdout
    assert len(unlost.results()) == 4
    assert unlost("show", "work-1").returncode == 2


def test_purge_for_programs(unlost: CommandLine) -> None:
    purged = unlost.json("purge", "work-1", "--yes")

    assert purged["books"]["failed"] == 3
    assert [Path(file).name for file in purged["files"]] == ["work-1.db", "work-1.lock"]


def test_a_folder_to_write_to_is_answered_with_a_file_in_it(unlost: CommandLine) -> None:
    (unlost.folder / "there").mkdir()

    done = unlost("export", "work-1", "--ok", "--out", "there", "--force")

    assert done.returncode == 2
    assert done.stderr == "unlost export: --out there is a folder.\nName a file in it: --out there/export.jsonl\n"


def test_a_malformed_row_of_a_table_is_not_said_to_be_json_and_one_with_a_second_key_is(unlost: CommandLine) -> None:
    unlost.write("in.csv", "key,n\na,1\nb\na,3\n")
    unlost("run", "jobs:fixed", "in.csv", "--key", "key", "--quiet")

    letters = [json.loads(line) for line in unlost("export", "fixed-1", "--dead").stdout.splitlines()]

    assert [(letter["line"], letter["format"], letter["input"]) for letter in letters] == [
        (3, "csv", "b"),
        (4, "jsonl", '{"key":"a","n":"3"}'),
    ]
