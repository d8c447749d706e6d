"""Texts that leave the process."""

from __future__ import annotations

import asyncio

import pytest

from unlost.observe._leaving import KEPT, LINE, TEXT, command_of, leaving, line_of
from unlost.observe.install import lines_about
from unlost.observe.sinks._found import found
from unlost.observe.tasks import hang_report
from unlost.observe.watch import Collector, Notice, Origin, Verdict
from unlost.observe.watch._tracker import Tracker
from unlost.observe.watch._waiters import Waiter

URL = "https://admin:hunter2secret@db.example/x"


@pytest.mark.parametrize("before", range(0, KEPT + 40, 7))
def test_no_cut_leaves_a_part_of_a_secret(before: int) -> None:
    text = "x " * (before // 2) + URL + " y" * 2_000

    assert "hunter" not in leaving(text)
    assert "hunter" not in leaving(text[:KEPT])
    assert "hunter" not in line_of(ConnectionError(text))
    assert len(leaving(text)) <= TEXT


@pytest.mark.parametrize("before", [0, 470, 477, 490, KEPT - 30])
def test_what_is_found_of_an_exception_tells_no_part_of_a_secret(before: int) -> None:
    collector = Collector()
    error = ConnectionError("x" * before + " " + URL)
    tracker = Tracker(collector, error)
    tracker.handed_over(Waiter("nobody", Verdict.LOST), error)
    tracker.finish()

    [finding] = collector.findings
    report = found(finding)

    assert report.error is not None
    assert "hunter" not in report.error["message"]
    assert len(report.error["message"]) <= TEXT


async def test_who_is_told_of_a_hang_or_of_a_loss_is_told_no_secret_that_is_in_the_name_of_a_task() -> None:
    task = asyncio.create_task(asyncio.sleep(100), name=URL)
    await asyncio.sleep(0)
    hang = hang_report()
    task.cancel()
    loss = "\n".join(lines_about(Notice("died unasked", "", None, Origin(URL, ()))))

    assert "***@db.example" in hang
    assert "***@db.example" in loss
    assert "hunter" not in hang + loss


def test_a_short_text_is_left_as_it_is_and_a_line_says_that_it_was_cut() -> None:
    assert leaving("no route to host") == "no route to host"
    assert line_of(ValueError("no")) == "ValueError: no"
    assert line_of(ValueError("n" * 300)).endswith("n...")
    assert len(line_of(ValueError("n" * 300))) == LINE + 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["app.py", "--password=hunter6secret", "-v"], "app.py '--password=***' -v"),
        (["app.py", "--api-key", "hunter6secret"], "app.py --api-key '***'"),
        (["app.py", "--db-password", "hunter6secret", "x"], "app.py --db-password '***' x"),
        (["app.py", "--auth", "me:hunter6secret"], "app.py --auth '***'"),
        (["app.py", "--password", "--verbose"], "app.py --password --verbose"),
        (["app.py", "--url", URL], "app.py --url 'https://***@db.example/x'"),
        (["app.py", "API_KEY=hunter6secret"], "app.py 'API_KEY=***'"),
        (["app.py", "--tokens-per-line", "7", "--compass", "north"], "app.py --tokens-per-line 7 --compass north"),
    ],
)
def test_a_command_keeps_its_secrets(words: list[str], told: str) -> None:
    assert command_of(words) == told
