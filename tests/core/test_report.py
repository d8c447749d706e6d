import io
import sys

from unlost._core import report


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
