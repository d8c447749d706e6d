"""A run as a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support.views import books_of, group_of, raised, view_of
from unlost.batch import InDoubt, Paused
from unlost.batch.journal._failures import Failures
from unlost.batch.journal._spend import Amount
from unlost.report import SLICES, Report, Tally, View, report_of_run

META = {"target": "jobs:fetch", "path": "urls.jsonl"}
NEVER = Failures(0.0, 60.0)


def report(view: View, failures: Failures = NEVER) -> Report:
    return report_of_run(view, META, failures)


def test_the_bar_has_the_buckets_of_the_books_and_the_rare_ones_only_where_there_are_any() -> None:
    plain, full = report(view_of(books_of(ok=5))), report(view_of(books_of(ok=5, failed=2, pending=3, withdrawn=1)))

    assert plain.tallies == (Tally("ok", 5, "good"), Tally("failed", 0, "bad"), Tally("in doubt", 0, "doubt"))
    assert full.tallies[3:] == (Tally("pending", 3, "rest"), Tally("withdrawn", 1, "rest"))
    assert full.total == 11


def test_a_group_has_the_commands_that_show_it_and_run_it_again() -> None:
    group = group_of(raised(KeyError("price"), line=57), 61, fingerprint="77aa01bbccdd", line=17)

    (shown,) = report(view_of(books_of(failed=61), groups=[group])).groups

    assert (shown.title, shown.where, shown.count) == ("KeyError 'price'", "jobs.py:57 in fetch", 61)
    assert shown.command == "unlost retry fetch-3 --only 77aa01"
    assert shown.look == "unlost show fetch-3 77aa01"
    assert shown.example == "line 17, key key-17"


def test_lines_that_are_no_items_have_no_command_that_runs_them_again() -> None:
    group = replace(group_of(ValueError("not JSON"), 3), kind="input")

    (shown,) = report(view_of(books_of(failed=3), groups=[group], no_items=3)).groups

    assert shown.command == ""
    assert shown.look.startswith("unlost show ")


def test_a_journal_elsewhere_is_named_in_every_command_and_quoted() -> None:
    view = view_of(books_of(failed=1), groups=[group_of(ValueError())], journal=Path("/data/my runs/fetch-3.db"))

    shown = report(view)

    assert shown.groups[0].command == "unlost retry fetch-3 --only 9c1e22 --folder '/data/my runs'"
    assert ("run all that failed again", "unlost retry fetch-3 --folder '/data/my runs'") in shown.facts


def test_the_hits_of_a_group_are_those_of_its_fingerprint() -> None:
    hits = (1,) * SLICES
    failures = Failures(10.0, 70.0, {"9c1e22aa": hits})

    shown = report(view_of(books_of(failed=60), groups=[group_of(ValueError(), 60)]), failures)

    assert shown.groups[0].hits == hits
    assert (shown.began, shown.ended) == (10.0, 70.0)


def test_groups_beyond_five_hundred_are_counted() -> None:
    groups = [group_of(ValueError(), 2, fingerprint=f"{number:08x}") for number in range(503)]

    shown = report(view_of(books_of(failed=1006), groups=groups))

    assert (len(shown.groups), shown.more_groups, shown.more_count) == (500, 3, 6)


def test_items_in_doubt_are_listed_with_what_starts_them_again() -> None:
    doubt = [InDoubt("a", 3, 1), InDoubt("b", 1234, 2)]

    ((title, lines),) = report(view_of(books_of(in_doubt=200), in_doubt=doubt)).lists

    assert title == "In doubt: 200"
    assert lines[0].endswith("To start them again: unlost resume fetch-3 --in-doubt retry")
    assert lines[1:] == (
        "line 3, key a",
        "line 1234, key b, started 2 times",
        "and 100 more: unlost show fetch-3 --json",
    )


def test_pauses_and_money_are_among_the_facts() -> None:
    view = replace(view_of(books_of(failed=1)), groups=[group_of(ValueError(), spent=Amount(2_500_000_000))])

    shown = report(replace(view, paused=Paused(rests=2, refused=40, seconds=125.0)))

    held = "for 2m05s: 2 rests that a server asked for; 40 calls came back later, which is no attempt"
    assert dict(shown.facts)["held"] == held
    assert shown.groups[0].spent == "$2.50"


def test_books_that_do_not_balance_are_an_alarm() -> None:
    assert "do not balance" in report(view_of(books_of(ok=1, inputs=2))).alarms[0]
    assert report(view_of(books_of(ok=1))).alarms == ()


def test_a_run_that_stopped_by_itself_says_why_above_all() -> None:
    shown = report(view_of(books_of(ok=1, pending=3), why="5 of 5 items failed"))

    assert shown.alarms == ("The run stopped by itself: 5 of 5 items failed.",)
    assert ("go on", "unlost resume fetch-3") in shown.facts
