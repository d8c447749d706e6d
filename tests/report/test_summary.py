"""The summary of a run, as text and as JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from support.views import NOTHING, books_of, group_of, raised, view_of
from unlost.batch import InDoubt, PutAside
from unlost.report import summary_as_json, summary_as_text
from unlost.report._text import width


class HTTPStatusError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"Server error '{status}'")
        self.status_code = status


def test_the_summary_has_the_shape_that_the_documentation_shows() -> None:
    view = view_of(
        books_of(ok=9829, failed=171, retries=1102, recovered=388),
        groups=[
            group_of(raised(HTTPStatusError(503)), 152, fingerprint="9c1e22aa", line=70),
            group_of(raised(KeyError("price"), line=57, function="parse"), 19, fingerprint="77aa01bb", line=4417),
        ],
        how="complete",
        seconds=134.2,
        ended=9829,
        results=Path("results.jsonl"),
    )

    assert summary_as_text(view).splitlines() == [
        " 9,829 ok · 171 failed · 0 in doubt     2m14s   73/s   1,102 retries (388 recovered)",
        " #1  152×  HTTPStatusError status=503  jobs.py:42 in fetch  e.g. line 70    9c1e22",
        " #2   19×  KeyError 'price'            jobs.py:57 in parse  e.g. line 4417  77aa01",
        " journal .unlost/fetch-3.db   10,000 of 10,000 accounted for",
        " results results.jsonl",
        " dead letters 171: unlost show fetch-3 · run them again: unlost retry fetch-3      exit 1",
    ]


def test_where_all_is_well_there_is_little_to_say() -> None:
    view = view_of(books_of(ok=3), how="complete", seconds=0.25, ended=3)

    assert summary_as_text(view).splitlines() == [
        " 3 ok · 0 failed · 0 in doubt     0.2s   12/s",
        " journal .unlost/fetch-3.db   3 of 3 accounted for",
        " exit 0",
    ]


@pytest.mark.parametrize(
    ("retries", "recovered", "said"), [(1, 0, "1 retry (0 recovered)"), (1200, 1, "1,200 retries (1 recovered)")]
)
def test_retries_are_counted_in_words_that_fit(retries: int, recovered: int, said: str) -> None:
    text = summary_as_text(view_of(books_of(ok=1, retries=retries, recovered=recovered)))

    assert text.splitlines()[0].endswith(f"   {said}")


def test_buckets_that_are_empty_in_most_runs_are_named_only_where_they_are_not() -> None:
    everything = summary_as_text(view_of(books_of(ok=1, failed=2, in_doubt=3, pending=4000, withdrawn=5)))

    first = everything.splitlines()[0]
    assert first == " 1 ok · 2 failed · 3 in doubt · 4,000 pending · 5 withdrawn"


def test_what_is_in_doubt_and_pending_says_how_to_go_on() -> None:
    view = view_of(books_of(ok=1, failed=2, in_doubt=3, pending=4), how="stopped", seconds=1.0, ended=3)

    assert summary_as_text(view).splitlines()[-4:] == [
        " dead letters 2: unlost show fetch-3 · run them again: unlost retry fetch-3",
        " in doubt 3: unlost show fetch-3",
        " start them again: unlost resume fetch-3 --in-doubt retry",
        " go on: unlost resume fetch-3      exit 4",
    ]


def test_of_a_run_that_is_alive_nobody_is_told_to_start_anything() -> None:
    text = summary_as_text(view_of(books_of(ok=1, in_doubt=3, pending=4), live=True))

    assert text.splitlines()[-1] == " a process writes this run now; what it has under way counts as in doubt"
    assert "resume" not in text
    assert "exit" not in text


def test_a_run_that_is_only_looked_at_has_no_exit_code() -> None:
    assert "exit" not in summary_as_text(view_of(books_of(ok=1, failed=1)))


def test_books_that_do_not_balance_say_so_with_every_count() -> None:
    text = summary_as_text(view_of(books_of(inputs=10, ok=5, failed=4, read=12, seen=10), how="complete", seconds=1.0))

    assert (
        " THE BOOKS DO NOT BALANCE: 10 inputs, but 5 ok + 4 failed + 0 in doubt + 0 pending + 0 withdrawn = 9\n"
        " the source was read as 12 records, of which the journal has 10\n" in text
    )
    assert text.endswith("exit 5")


@pytest.mark.parametrize(
    ("ended", "seconds", "said"),
    [
        (0, 0.0, "0.0s"),
        (0, 5.0, "5.0s"),
        (4, 60, "1m00s   4.0/min"),
        (10**6, 11_100, "3h05m   90/s"),
    ],
)
def test_times_and_rates_are_short(ended: int, seconds: float, said: str) -> None:
    assert f"     {said}\n" in summary_as_text(view_of(how="complete", seconds=seconds, ended=ended))


@pytest.mark.parametrize(
    ("blank", "said"), [(None, ""), (0, ""), (1, " (1 blank line)"), (1200, " (1,200 blank lines)")]
)
def test_blank_lines_are_counted_where_there_are_some(blank: int | None, said: str) -> None:
    text = summary_as_text(view_of(books_of(ok=1, blank=blank)))

    assert text.splitlines()[1] == f" journal .unlost/fetch-3.db   1 of 1 accounted for{said}"


def test_beyond_ten_groups_the_rest_is_counted() -> None:
    groups = [group_of(raised(ValueError("x" * number)), 1000 + number) for number in range(1, 24)]

    lines = summary_as_text(view_of(books_of(failed=1), groups=groups)).splitlines()

    assert [line.split()[0] for line in lines[1:11]] == [f"#{number}" for number in range(1, 11)]
    assert lines[1].startswith("  #1  1,001×")
    assert lines[10].startswith(" #10  1,010×")
    assert lines[11] == " and 13 more kinds of error in 13,221 items"


def test_all_groups_are_shown_where_that_is_asked_for() -> None:
    groups = [group_of(raised(ValueError("x"))) for _ in range(23)]

    text = summary_as_text(view_of(books_of(failed=23), groups=groups), groups=None)

    assert "#23" in text
    assert "more kinds" not in text


def test_long_titles_and_places_are_cut_so_that_a_line_fits() -> None:
    long_name = type("AnErrorWithAVeryLongName" * 10, (Exception,), {})
    groups = [
        group_of(raised(long_name("something went wrong")), 12_345, line=1_000_000),
        group_of(raised(ValueError("short"), function="f" * 200)),
        group_of(raised(KeyError("price"))),
    ]

    lines = summary_as_text(view_of(books_of(failed=3), groups=groups)).splitlines()[1:4]

    assert all(len(line) <= 120 for line in lines)
    assert "AnErrorWithAVeryLongName" in lines[0]
    assert "…  jobs.py:42 in fetch" in lines[0]
    assert "ValueError short" in lines[1]
    assert "ffff…  e.g." in lines[1]
    assert len({line.index("jobs.py") for line in lines}) == 1


def test_a_long_title_leaves_a_short_place_whole() -> None:
    groups = [group_of(raised(type("E" * 200, (Exception,), {})()))]

    (line,) = summary_as_text(view_of(books_of(failed=1), groups=groups)).splitlines()[1:2]

    assert "  jobs.py:42 in fetch  " in line
    assert len(line) <= 120


def test_columns_stand_under_each_other_beside_wide_and_combining_characters() -> None:
    texts = ["取引が失敗しました", "plain", "e\u0301te\u0301"]
    groups = [group_of(raised(ValueError(text))) for text in texts]

    lines = summary_as_text(view_of(books_of(failed=3), groups=groups)).splitlines()[1:4]

    assert len({width(line[: line.index("jobs.py")]) for line in lines}) == 1


def test_wide_characters_are_cut_by_the_cells_they_take() -> None:
    groups = [group_of(raised(type("取引" * 60, (Exception,), {})()))]

    (line,) = summary_as_text(view_of(books_of(failed=1), groups=groups)).splitlines()[1:2]

    assert width(line) <= 120
    assert "…" in line


def test_an_error_without_a_place_keeps_its_column() -> None:
    groups = [group_of(ValueError("nowhere")), group_of(raised(ValueError("somewhere")))]

    lines = summary_as_text(view_of(books_of(failed=2), groups=groups)).splitlines()[1:3]

    assert len({line.index("e.g. line") for line in lines}) == 1


def test_what_would_drive_a_terminal_is_escaped_in_names_of_files_and_errors() -> None:
    evil = "\x1b]0;owned\x07\r\n\u202e\x9b2J"
    groups = [group_of(raised(ValueError(evil)))]
    view = view_of(books_of(failed=1), groups=groups, journal=Path(f"{evil}.db"), results=Path(f"{evil}.jsonl"))

    text = summary_as_text(view)

    assert {character for character in text if not character.isprintable()} == {"\n"}
    assert len(text.splitlines()) == 5
    assert r"journal \x1b]0;owned\x07\r\n\u202e\x9b2J.db" in text


def test_json_says_what_the_text_says() -> None:
    books = books_of(ok=5, failed=1, in_doubt=1, retries=2, recovered=1)
    groups = [group_of(raised(KeyError("price"), line=57, function="parse"), fingerprint="77aa01bb", line=4417)]
    in_doubt = [InDoubt("key-9", 9, 2)]
    view = view_of(books, groups=groups, in_doubt=in_doubt, how="complete", seconds=1.5, results=Path("r.jsonl"))

    as_json = json.loads(json.dumps(summary_as_json(view)))

    assert as_json == {
        "run": "fetch-3",
        "journal": ".unlost/fetch-3.db",
        "results": "r.jsonl",
        "how": "complete",
        "live": False,
        "seconds": 1.5,
        "exit": 1,
        "books": {**dataclasses.asdict(books), "balance": True},
        "spent": {
            "usd": "0",
            "input_tokens": 0,
            "output_tokens": 0,
            "failed_attempts": {"usd": "0", "input_tokens": 0, "output_tokens": 0},
            "unknown_items": 1,
        },
        "blocked": None,
        "paused": {"rests": 0, "outages": 0, "refused": 0, "seconds": 0.0},
        "why": None,
        "groups": [
            {
                "fingerprint": "77aa01bb",
                "count": 1,
                "kind": "transient",
                "title": "KeyError 'price'",
                "where": "jobs.py:57 in parse",
                "example": {"key": "key-4417", "line": 4417},
                "spent": {"usd": "0", "input_tokens": 0, "output_tokens": 0},
            }
        ],
        "inputs_purged": 0,
        "put_aside": None,
        "in_doubt": [{"key": "key-9", "line": 9, "starts": 2, "survived": []}],
    }


def test_json_of_a_run_that_is_only_looked_at_has_the_same_keys() -> None:
    looked_at = summary_as_json(view_of(NOTHING, live=True))

    assert (looked_at["how"], looked_at["seconds"], looked_at["results"], looked_at["live"]) == (None, None, None, True)
    assert looked_at.keys() == summary_as_json(view_of(how="complete", seconds=1.0)).keys()


def test_lines_that_are_no_items_are_to_be_mended_and_not_run_again() -> None:
    only = view_of(books_of(ok=1, failed=2), no_items=2, how="complete", seconds=1.0)
    mixed = view_of(books_of(ok=1, failed=9), no_items=1, how="complete", seconds=1.0)

    assert summary_as_text(only).splitlines()[-1] == (
        " dead letters 2: unlost show fetch-3 · mend those lines and run the file again      exit 1"
    )
    assert summary_as_text(mixed).splitlines()[-2:] == [
        " dead letters 9: unlost show fetch-3 · run them again: unlost retry fetch-3",
        " of them no items: 1 · mend that line and run the file again      exit 1",
    ]


def test_a_run_that_did_its_first_inputs_does_not_look_unfinished() -> None:
    view = view_of(books_of(ok=3, read=3, seen=3, whole=False), first=3, how="complete", seconds=1.0)

    assert summary_as_text(view).splitlines()[-1] == (
        " the first 3 inputs have ended, as --first said; all: unlost resume fetch-3      exit 0"
    )


def test_a_run_that_was_stopped_in_its_first_inputs_does() -> None:
    view = view_of(books_of(ok=1, pending=2, read=3, seen=3, whole=False), first=3, how="stopped", seconds=1.0)

    assert summary_as_text(view).splitlines()[-1] == (
        " the source is not read to its end; go on: unlost resume fetch-3      exit 4"
    )


def test_where_a_budget_is_spent_each_command_has_a_larger_one() -> None:
    view = view_of(books_of(failed=1, in_doubt=1, pending=1), budgets=("usd=11", "tokens=2M"))

    lines = [line for line in summary_as_text(view).splitlines() if "retry" in line or "go on" in line]
    assert len(lines) == 3
    assert all(line.endswith(" --budget usd=11 --budget tokens=2M") for line in lines)


def test_a_source_without_items_is_named() -> None:
    empty = summary_as_text(view_of(books_of(), source="urls.txt", how="complete", seconds=0.1))
    unread = summary_as_text(view_of(books_of(whole=False), source="urls.txt", how="halted", seconds=0.1))

    assert " no items in urls.txt" in empty.splitlines()
    assert "no items" not in unread


def test_what_was_to_run_again_and_is_gone_is_counted_with_an_example() -> None:
    view = view_of(books_of(ok=1, withdrawn=2), put_aside=PutAside(2, 17))

    text = summary_as_text(view)
    assert (
        "2 dead letters could not run again: their records are not in the source as before, e.g. line 17 then" in text
    )
    assert "put back what did, then: unlost resume fetch-3, unlost retry fetch-3" in text
    assert summary_as_json(view)["put_aside"] == {"count": 2, "line": 17}


def test_an_error_of_one_item_has_one_title_in_text_and_json() -> None:
    view = view_of(books_of(failed=1), groups=[group_of(raised(ValueError("bad 17")), line=17)])

    assert " #1  1×  ValueError bad 17  jobs.py:42 in fetch  e.g. line 17  9c1e22" in summary_as_text(view).splitlines()
    assert summary_as_json(view)["groups"][0]["title"] == "ValueError bad 17"
