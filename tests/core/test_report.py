import io
import sys

from unlost._core import report, report_to
from unlost._core._report import on_reports


def test_a_report_says_what_happened_and_shows_the_traceback(capfd):
    report(ValueError("broken"), "the background job failed")

    text = capfd.readouterr().err
    assert text.startswith("unlost: the background job failed\n")
    assert "ValueError: broken" in text


def test_an_error_that_cannot_be_printed_is_still_named(capfd):
    class Unprintable(Exception):
        def __getattribute__(self, name):
            raise RuntimeError

    report(Unprintable(), "odd")

    assert "Unprintable" in capfd.readouterr().err


def test_a_standard_error_that_was_closed_fails_nothing(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)

    report(ValueError(), "nowhere")


def test_without_a_standard_error_nothing_fails(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)

    report(ValueError(), "nowhere")


def test_who_watches_reports_is_told_of_each_until_it_is_taken_away(capfd):
    seen = []
    error = ValueError("broken")

    undo = on_reports(seen.append)
    report(error, "printed")
    with report_to(lambda error, what: None):
        report(error, "handed on")
    undo()
    undo()
    report(error, "unseen")

    assert seen == [error, error]
    assert capfd.readouterr().err.count("unlost: ") == 2
