"""A report as text and as JSON."""

from __future__ import annotations

import json

import jsonschema
import pytest

from support.sinks import Clock, Kept, raised
from unlost.observe.sinks import Sinks, as_json, report_of, schema, text_of
from unlost.observe.sinks._found import found
from unlost.observe.watch import ErrorType, Finding, Notice, Origin, Site, Verdict

SITE = Site("/app/jobs.py", 7, "work", True, "jobs")
OUTER = Site("/app/main.py", 3, "main", True, "main")
FINDING = Finding(Verdict.SWALLOWED, ErrorType("jobs", "Odd"), "no", (SITE,), SITE, "", Origin("Task-3", (SITE, OUTER)))
NOTICE = Notice("never awaited", "coroutine work() was never awaited", SITE)


@pytest.fixture
def reports():
    kept, clock = Kept(), Clock()
    with Sinks([kept], clock=clock) as sinks:
        sinks(raised(ExceptionGroup("two", [ValueError(), KeyError()])), "the job failed")
        for finding in (FINDING, FINDING, NOTICE, NOTICE):
            sinks.found(finding)
        clock.now += 59
    return kept.reports


def test_a_reported_error_is_what_and_its_traceback():
    text = text_of(report_of(raised(ValueError("no")), "the job failed"))

    lines = text.splitlines()
    assert lines[0].startswith("the job failed  [")
    assert "in raised" in text
    assert any(line == "ValueError: no" for line in lines)


def test_a_finding_says_what_became_of_it_where_and_whose_task_it_was(reports):
    [text] = [text_of(one) for one in reports if one.verdict == "swallowed" and not one.repeats]

    assert "swallowed at jobs.py:7 in work: who caught it would have caught anything, and did not look at it" in text
    assert "jobs.Odd: no" in text
    assert "in task 'Task-3', started at jobs.py:7 in work\n    by a task started at main.py:3 in main" in text


def test_a_finding_of_a_call_says_where_that_was_submitted():
    finding = Finding(
        Verdict.LOST, ErrorType("jobs", "Odd"), "no", (SITE,), by="an executor", origin=Origin("", (OUTER,))
    )

    text = text_of(found(finding))

    assert text.startswith("lost in an executor: nobody ever took it")
    assert text.endswith("  submitted at main.py:3 in main")


def test_a_swallowed_cancellation_is_called_so():
    finding = Finding(
        Verdict.SWALLOWED, ErrorType("asyncio.exceptions", "CancelledError"), "", (SITE,), SITE, cancellation=True
    )
    kept = Kept()

    with Sinks([kept]) as sinks:
        sinks.found(finding)

    assert kept.told[0].startswith("a cancellation was swallowed")


def test_a_count_is_one_line():
    kept, clock = Kept(), Clock()

    with Sinks([kept], clock=clock) as sinks:
        for _ in range(1235):
            sinks(ValueError("no"), "the job failed")
        clock.now += 60
    text = text_of(kept.reports[1])

    assert text == f"and 1,234 more like it in 60 s: ValueError no  [{kept.reports[0].fingerprint}]"


def test_control_characters_do_not_reach_a_terminal():
    text = text_of(report_of(ValueError("\x1b[2J"), "\x1b]0;title\x07"))

    assert "\x1b" not in text


def test_every_report_fits_the_published_schema(reports):
    validator = jsonschema.Draft202012Validator(schema(), format_checker=jsonschema.FormatChecker())

    for report in reports:
        validator.validate(json.loads(json.dumps(as_json(report))))

    assert {one.verdict for one in reports} == {"reported", "swallowed", "never awaited"}
    assert {bool(one.repeats) for one in reports} == {False, True}


def test_a_report_without_an_error_names_its_place(reports):
    [text] = [text_of(one) for one in reports if one.verdict == "never awaited" and not one.repeats]

    assert text.splitlines()[1] == "  at jobs.py:7 in work"
