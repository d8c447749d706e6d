"""``unlost retry``: dead letters run again, from the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.command import CommandLine

pytestmark = pytest.mark.stock

JOB = """
import pathlib

async def work(item, context):
    with open("calls.txt", "a") as log:
        print(item["n"], context.idempotency_key, file=log)
    if item["n"] % 5 == 0 and not pathlib.Path("mended").exists():
        raise LookupError("not there") if item["n"] % 2 else ValueError("even")
    return item["n"]
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    """A run of 20 items of which 2 failed in one way and 2 in another."""
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", JOB)
    unlost.write_inputs(20)
    assert unlost("run", "jobs:work", "in.jsonl", "--out", "results.jsonl").returncode == 1
    return unlost


def calls(unlost: CommandLine) -> list[tuple[int, str]]:
    lines = (unlost.folder / "calls.txt").read_text().splitlines()
    return [(int(number), key) for number, key in map(str.split, lines)]


def test_dead_letters_run_again_with_the_inputs_of_the_journal_and_new_idempotency_keys(unlost: CommandLine) -> None:
    unlost.write("mended", "")
    (unlost.folder / "in.jsonl").unlink()

    retried = unlost("retry", "work-1")

    assert retried.returncode == 0, retried.stderr
    assert retried.stderr == "unlost: run work-1: running its dead letters again\n"
    assert "20 ok · 0 failed" in retried.stdout
    assert sorted(line["value"] for line in unlost.results()) == list(range(20))
    again = calls(unlost)[20:]
    assert sorted(number for number, _key in again) == [0, 5, 10, 15]
    assert len({key for _number, key in calls(unlost)}) == 24


def test_one_error_is_run_again_by_its_fingerprint(unlost: CommandLine) -> None:
    unlost.write("mended", "")
    groups = unlost.json("show", "work-1")["groups"]
    lookup = next(group["fingerprint"] for group in groups if "LookupError" in group["title"])

    retried = unlost("retry", "work-1", "--only", lookup[:6])

    assert "18 ok · 2 failed" in retried.stdout
    assert sorted(number for number, _key in calls(unlost)[20:]) == [5, 15]


def test_code_that_has_changed_since_is_what_runs_again(unlost: CommandLine) -> None:
    unlost.write("jobs.py", "async def work(item):\n    return 'anew'\n")

    retried = unlost("retry", "work-1")

    assert retried.returncode == 0, retried.stderr
    assert sum(line["value"] == "anew" for line in unlost.results()) == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--only", "ffffff"), "has no dead letters with fingerprint 'ffffff' that could be run again. There are: "),
        (("--kind", "transient"), "has no dead letters of kind transient that could be run again. There are: "),
        (("--in-doubt",), "run work-1 has nothing in doubt"),
    ],
)
def test_a_choice_that_nothing_meets_is_refused_and_changes_nothing(
    unlost: CommandLine, arguments: tuple[str, ...], words: str
) -> None:
    before = unlost.json("show", "work-1")

    refused = unlost("retry", "work-1", *arguments)

    assert refused.returncode == 2
    assert words in refused.stderr
    assert unlost.json("show", "work-1") == before


def test_records_that_were_no_items_are_not_run_again(tmp_path: Path) -> None:
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", "async def same(item):\n    return item\n")
    unlost.write("in.jsonl", '{"n": 1}\n{bad\n')
    unlost("run", "jobs:same", "in.jsonl")

    refused = unlost("retry", "same-1")

    assert refused.returncode == 2
    assert "There are: none" in refused.stderr


@pytest.mark.parametrize("kind", [(), ("--kind", "input")])
def test_lines_that_are_no_items_are_mended_and_not_retried(unlost: CommandLine, kind: tuple[str, ...]) -> None:
    unlost.write("mended", "")
    unlost.write("bad.jsonl", '{"n": 1}\n{bad\n')
    unlost("run", "jobs:work", "bad.jsonl", "--quiet")

    refused = unlost("retry", "work-2", *kind)
    unlost.write("bad.jsonl", '{"n": 1}\n{"n": 2}\n')
    mended = unlost("run", "jobs:work", "bad.jsonl", "--quiet")

    assert refused.returncode == 2
    assert "1 line of its source is no item: mend it and run the file again" in refused.stderr
    assert "2 ok · 0 failed" in mended.stdout


def test_a_dead_letter_that_is_gone_from_a_source_of_hashes_is_told(unlost: CommandLine) -> None:
    unlost.write_inputs(20, "hashed.jsonl")
    unlost("run", "jobs:work", "hashed.jsonl", "--inputs", "hash", "--quiet")
    whole = (unlost.folder / "hashed.jsonl").read_text()
    unlost.write("hashed.jsonl", whole.replace('{"n": 5}', '{"n": 555}'))

    unlost.write("mended", "")
    gone = unlost("retry", "work-2")
    as_json = unlost.json("show", "work-2")
    unlost.write("hashed.jsonl", whole)
    unlost("resume", "work-2")
    back = unlost("retry", "work-2")

    assert "1 dead letter could not run again: its record is not in the source as before, e.g. line 6" in gone.stdout
    assert as_json["put_aside"] == {"count": 1, "line": 6}
    assert "20 ok · 0 failed" in back.stdout
    assert "could not run again" not in back.stdout


def test_an_error_of_one_item_is_shown_under_the_title_of_the_summary(unlost: CommandLine) -> None:
    unlost.write("one.py", "async def work(item):\n    raise ValueError(f'bad {item}')\n")
    unlost.write("in.txt", "17\n")

    summary = unlost("run", "one:work", "in.txt").stdout
    fingerprint = unlost.json("show", "work-2")["groups"][0]["fingerprint"][:6]
    shown = unlost("show", "work-2", fingerprint).stdout

    assert "ValueError bad 17  one.py:2 in work" in summary
    assert shown.splitlines()[0] == f"{fingerprint}  ValueError bad 17    one.py:2 in work"
