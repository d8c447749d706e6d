"""What the observer found, as a report."""

from __future__ import annotations

import pytest

from support.found import found_report
from unlost.observe.install import key_of
from unlost.observe.watch import Collector, ErrorType, Finding, Notice, Origin, Site, Verdict
from unlost.report import SLICES, Tally
from unlost.report.found import report_of_findings
from unlost.report.html import html_of

SITE = Site("app.py", 7, "load", app=True, module="app")


def finding(verdict: Verdict = Verdict.LOST, text: str = "no page 7", at: float = 100.0, line: int = 7) -> Finding:
    frames = (Site("app.py", line, "load", app=True, module="app"),)
    return Finding(
        verdict, ErrorType("builtins", "ValueError"), text, frames, site=SITE, origin=Origin("loader", (SITE,)), at=at
    )


def test_findings_of_one_bug_are_one_group_with_their_times() -> None:
    told = [finding(at=100.0), finding(text="no page 8", at=110.0), finding(text="no page 9", at=160.0)]

    report = report_of_findings(told, {Verdict.LOST: 3, Verdict.HANDLED: 90}, "app.py")

    (group,) = report.groups
    assert (group.title, group.where, group.label, group.count) == (
        "ValueError no page <n>",
        "app.py:7 in load",
        "lost",
        3,
    )
    assert (report.began, report.ended) == (100.0, 160.0)
    assert (group.hits[0], group.hits[10], group.hits[-1], sum(group.hits)) == (1, 1, 1, 3)
    assert len(group.hits) == SLICES
    assert report.tallies == (Tally("handled", 90, "good"), Tally("lost", 3, "bad"))


def test_one_bug_that_ended_in_two_ways_is_two_groups_the_worse_first() -> None:
    told = [finding(Verdict.RETURNED), finding(Verdict.RETURNED), finding(Verdict.LOST)]

    report = report_of_findings(told, {Verdict.RETURNED: 2, Verdict.LOST: 1}, "app.py")

    assert [(group.label, group.count) for group in report.groups] == [("lost", 1), ("returned", 2)]


def test_what_is_no_exception_is_a_group_too() -> None:
    notice = Notice("never awaited", "coroutine load was never awaited", SITE)

    report = report_of_findings([notice], {}, "app.py", noted={"never awaited": 1})

    (group,) = report.groups
    assert (group.title, group.label, group.error) == ("coroutine load was never awaited", "never awaited", None)
    assert report.tallies == (Tally("never awaited", 1, "bad"),)


def test_what_could_not_be_seen_is_said() -> None:
    report = report_of_findings([], {}, "app.py", unseen=["3 tasks were of another library's own class"])

    assert report.lists == (("What could not be seen", ("3 tasks were of another library's own class",)),)


def test_the_page_says_where_an_error_was_lost_and_where_its_task_came_from() -> None:
    report = report_of_findings([finding()], {Verdict.LOST: 1}, "app.py", command="unlost watch app.py")

    page = b"".join(html_of(report)).decode()

    assert "lost at app.py:7 in load: nobody ever took it" in page
    assert "In task &#x27;loader&#x27;, which was started" in page
    assert "<dt>run it again</dt><dd>unlost watch app.py</dd>" in page


def test_a_group_has_the_keys_that_forgive_it_and_what_to_write_instead() -> None:
    told = finding()

    report = report_of_findings([told, told], {Verdict.LOST: 2}, "app.py")

    page = b"".join(html_of(report)).decode()
    assert [group.keys for group in report.groups] == [(key_of(told),)]
    assert f"<p>Key: <code>{key_of(told)}</code></p>" in page
    assert "<p>Instead: await the task, or start it in a group" in page


def test_what_is_in_the_bar_and_not_in_the_table_is_said() -> None:
    counts = {Verdict.LOST: 3, Verdict.SWALLOWED: 91, Verdict.HANDLED: 7}

    report = report_of_findings([finding()], counts, "pytest", besides="of libraries' own code, or forgiven")

    assert report.facts == (("not listed", "91 swallowed, 2 lost: of libraries' own code, or forgiven"),)


def test_a_group_is_run_again_by_all_that_it_was_found_in() -> None:
    told = [finding(text="no page 7"), finding(text="no page 8")]

    report = report_of_findings(told, {}, "pytest", rerun=lambda found: " ".join(one.text[-1] for one in found))

    assert [group.command for group in report.groups] == ["7 8"]


def test_when_a_notice_was_noted_is_its_time_in_the_report() -> None:
    collector = Collector()
    collector.note(Notice("never awaited", "coroutine load was never awaited", SITE))
    [noted] = collector.notices

    report = report_of_findings([noted, finding(at=noted.at - 60)], {}, "app.py")

    assert noted.at > 0
    assert (report.began, report.ended) == (noted.at - 60, noted.at)


@pytest.mark.parametrize(("count", "deep"), [(498, 12), (498, 64), (2000, 64)])
def test_five_hundred_bugs_and_more_fit_into_600_kb_with_a_trace_each(count: int, deep: int) -> None:
    report = found_report(count, deep, tests=True)

    page = b"".join(html_of(report))

    assert len(report.groups) == 500
    assert len(page) <= 600_000
    assert page.count(b'<th scope="row">') >= 500
    assert page.count(b"<pre>") >= 498
    assert b"Why grouped" in page
