"""Formats on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.command import CommandLine

pytestmark = pytest.mark.stock

JOB = """
async def work(item):
    if item in ("bad", {"a": "bad"}):
        raise ValueError("bad")
    return item
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    command = CommandLine(tmp_path)
    command.write("jobs.py", JOB)
    return command


def test_names_that_end_with_nul_come_from_standard_input(unlost: CommandLine) -> None:
    done = unlost("run", "jobs:work", "-", "-0", "--out", "results.jsonl", stdin="a\nb\0c d\0")

    assert done.returncode == 0, done.stderr
    assert sorted((one["line"], one["value"]) for one in unlost.results()) == [(1, "a\nb"), (2, "c d")]


@pytest.mark.parametrize("given", [("-0", "--format", "jsonl"), ("--format", "csv", "--null")])
def test_nul_and_another_format_contradict_each_other(unlost: CommandLine, given: tuple[str, ...]) -> None:
    done = unlost("run", "jobs:work", "-", *given, stdin="")

    assert done.returncode == 2
    assert "not allowed with argument" in done.stderr


def test_a_table_is_resumed_and_its_bad_header_is_refused(unlost: CommandLine) -> None:
    unlost.write("in.csv", "a\n1\nbad\n")

    first = unlost("run", "jobs:work", "in.csv")
    resumed = unlost("resume", "work-1")
    unlost.write("in.csv", "a,a\n1,2\n")
    refused = unlost("resume", "work-1")

    assert (first.returncode, resumed.returncode, refused.returncode) == (1, 1, 2)
    assert "2 of 2 accounted for" in resumed.stdout
    assert "names 'a' twice, on line 1" in refused.stderr


def test_retry_without_inputs_needs_the_file_and_says_so_before_anything_changes(unlost: CommandLine) -> None:
    path = unlost.write("in.txt", "bad\n")
    unlost("run", "jobs:work", "in.txt", "--inputs", "hash")
    path.unlink()

    refused = unlost("retry", "work-1")

    assert refused.returncode == 2
    assert "There is no file" in refused.stderr
    assert "1 failed" in unlost("show", "work-1").stdout


def test_dead_letters_that_were_exported_are_a_source(unlost: CommandLine) -> None:
    unlost.write("in.csv", "a\n1\nbad\n")
    unlost("run", "jobs:work", "in.csv")
    exported = unlost("export", "work-1", "--dead", "--out", "dead.jsonl")
    unlost.write("jobs.py", "async def work(item):\n    return item\n")

    done = unlost("run", "jobs:work", "dead.jsonl", "--out", "results.jsonl")

    assert (exported.returncode, done.returncode) == (0, 0), exported.stderr + done.stderr
    assert [one["value"] for one in unlost.results()] == [{"a": "bad"}]


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl", "in.txt"])
def test_a_compressed_source_is_run(unlost: CommandLine, name: str) -> None:
    unlost.write(name, "a\n1\n" if name == "in.csv" else "1\n")
    subprocess.run([sys.executable, "-m", "gzip", name], cwd=unlost.folder, check=True)

    done = unlost("run", "jobs:work", f"{name}.gz", "--out", "results.jsonl")

    assert done.returncode == 0, done.stderr
    assert [one["value"] for one in unlost.results()] == [{"in.csv": {"a": "1"}, "in.jsonl": 1, "in.txt": "1"}[name]]
