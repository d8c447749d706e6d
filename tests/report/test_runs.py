"""The list of runs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from support.views import books_of, view_of
from unlost.report import Entry, runs_as_json, runs_as_text, summary_as_json


def entry_of(target: str = "jobs:fetch", source: str = "/data/urls.jsonl", **what: Any) -> Entry:  # Any: of View
    return Entry(view_of(**what), target, source, 1_790_000_000.0)


def test_each_run_has_a_line_under_its_heading() -> None:
    entries = [
        entry_of(books=books_of(ok=9829, failed=171)),
        entry_of("jobs:parse", run="parse-12", books=books_of(ok=3, in_doubt=1, pending=1_000_000)),
    ]

    lines = runs_as_text(entries).splitlines()

    blank_dates = [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD HH:MM", line) for line in lines]
    assert blank_dates == [
        "run          ok  failed  in doubt    pending  state       begun             target      source",
        "fetch-3   9,829     171         0          0  complete    YYYY-MM-DD HH:MM  jobs:fetch  /data/urls.jsonl",
        "parse-12      3       0         1  1,000,000  unfinished  YYYY-MM-DD HH:MM  jobs:parse  /data/urls.jsonl",
    ]


@pytest.mark.parametrize(
    ("what", "state"),
    [
        ({"books": books_of(ok=1, failed=1)}, "complete"),
        ({"books": books_of(ok=1, pending=1)}, "unfinished"),
        ({"books": books_of(ok=1, in_doubt=1)}, "unfinished"),
        ({"books": books_of(ok=1, inputs=2)}, "unbalanced"),
        ({"books": books_of(ok=1, pending=1), "live": True}, "running"),
    ],
)
def test_the_state_says_whether_there_is_something_to_do(what: dict[str, Any], state: str) -> None:
    entries = [entry_of(**what)]

    assert state in runs_as_text(entries)
    assert runs_as_json(entries)[0]["state"] == state


def test_json_is_the_summary_with_target_source_and_time() -> None:
    entries = [entry_of(books=books_of(ok=1))]

    (as_json,) = json.loads(json.dumps(runs_as_json(entries)))

    added = {"target": "jobs:fetch", "source": "/data/urls.jsonl", "created": 1_790_000_000.0, "state": "complete"}
    assert as_json == {**summary_as_json(entries[0].view), **added}


def test_a_name_of_a_file_does_not_drive_the_terminal_and_keeps_the_columns() -> None:
    lines = runs_as_text([entry_of(source="\x1b[2J\n.txt"), entry_of(target="取引:fetch")]).splitlines()

    assert len(lines) == 3
    assert lines[1].endswith(r"  \x1b[2J\n.txt")
    assert lines[2].endswith("取引:fetch  /data/urls.jsonl")
    assert lines[1].index("\\x1b") == lines[2].index("/data") + 2  # cells, not characters
