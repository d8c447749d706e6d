"""``unlost show RUN FINGERPRINT --why``."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from support.command import CommandLine

pytestmark = pytest.mark.stock

JOB = """
def find(item):
    raise LookupError(f"no price for {item['who']}")

async def other(item):
    find(item)

async def work(item):
    if item["n"] % 2:
        await other(item)
    if item["n"] % 4 == 0:
        return item["price"]
    find(item)
"""


@pytest.fixture
def unlost(tmp_path: Path) -> CommandLine:
    """A run of 12 items: 9 failed in one way, by two callers, and 3 in another."""
    unlost = CommandLine(tmp_path)
    unlost.write("jobs.py", JOB)
    unlost.write("in.jsonl", "".join(f'{{"n": {n}, "who": "{chr(97 + n) * 3}"}}\n' for n in range(12)))
    assert unlost("run", "jobs:work", "in.jsonl", "--keep-going").returncode == 1
    return unlost


def fingerprints(unlost: CommandLine) -> list[str]:
    return [group["fingerprint"] for group in unlost.json("show", "work-1")["groups"]]


def test_each_part_is_printed_with_its_reason_and_what_varies_within(unlost: CommandLine) -> None:
    lookup, _ = fingerprints(unlost)

    shown = unlost("show", "work-1", lookup[:6], "--why")

    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[:5] == [
        f"{lookup[:6]}  LookupError no price for <…>    jobs.py:3 in find",
        "  type: LookupError",
        "  message template: no price for <…> (word for word; what was filled in is <…>)",
        "  frame: jobs:find (yours, innermost)",
        "  left out: line numbers; who called it (the full key has the innermost 8); frames of unlost",
    ]
    assert lines[5] == "within it: 2 variants"
    assert lines[6].endswith("  6×  e.g. line 2")
    assert lines[7:9] == ["    frame: jobs:other (yours, called it)", "    frame: jobs:work (yours, called it)"]
    assert lines[9].endswith("  3×  e.g. line 3")
    assert lines[10] == "    frame: jobs:work (yours, called it)"


def test_two_are_told_apart(unlost: CommandLine) -> None:
    lookup, missing = fingerprints(unlost)

    shown = unlost("show", "work-1", lookup[:6], "--why", missing[:6])

    assert shown.stdout.splitlines()[-4:] == [
        f"{lookup[:6]} and {missing[:6]} differ in",
        "  type: LookupError  |  KeyError",
        "  message template: no price for <…>  |  'price'",
        "  frame: jobs:find  |  jobs:work",
    ]


def test_the_fingerprint_may_come_last(unlost: CommandLine) -> None:
    lookup, _ = fingerprints(unlost)

    assert unlost("show", "work-1", "--why", lookup).stdout == unlost("show", "work-1", lookup, "--why").stdout


def test_json_has_the_parts_of_the_group_and_of_each_variant(unlost: CommandLine) -> None:
    lookup, _ = fingerprints(unlost)

    (group,) = unlost.json("show", "work-1", lookup, "--why")

    assert group["fingerprint"] == group["today"] == lookup
    assert [part["what"] for part in group["parts"]] == ["type", "message template", "frame"]
    assert [(each["count"], each["line"], len(each["parts"])) for each in group["variants"]] == [(6, 2, 5), (3, 3, 4)]


def test_a_group_of_another_version_is_kept_and_said_to_be(unlost: CommandLine) -> None:
    lookup, _ = fingerprints(unlost)
    with sqlite3.connect(unlost.folder / ".unlost" / "work-1.db") as journal:
        journal.execute("UPDATE outcome SET fingerprint = ? WHERE fingerprint = ?", ("0dd" + lookup[3:], lookup))
    journal.close()

    shown = unlost("show", "work-1", "0dd", "--why")

    assert "  grouped by another version of the fingerprint, or another hook, and kept so;\n" in shown.stdout
    assert f"  what fails like this from now on is in {lookup[:6]}\n" in shown.stdout
    assert fingerprints(unlost)[0] == "0dd" + lookup[3:]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--why"], "Write unlost show work-1 FINGERPRINT --why."),
        (["zzz", "--why"], "no dead letters with fingerprint 'zzz'. There are: "),
    ],
)
def test_what_is_missing_is_said(unlost: CommandLine, arguments: list[str], message: str) -> None:
    shown = unlost("show", "work-1", *arguments)

    assert shown.returncode == 2
    assert message in shown.stderr
