"""Standard error, logging and files, and how sinks are chosen."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys

import pytest

from support.sinks import Kept
from unlost import UsageError
from unlost.observe.sinks import JsonLines, Logging, Sinks, StandardError, report_of, sinks_of
from unlost.observe.watch import DIED, Notice


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_standard_error_has_each_report_under_our_name(capfd):
    with Sinks([StandardError()]) as sinks:
        sinks(ValueError("no"), "the job failed")

    assert capfd.readouterr().err.startswith("unlost: the job failed  [")


def test_the_logger_unlost_is_told_once(caplog):
    with Sinks([Logging()]) as sinks:
        for _ in range(3):
            sinks(ValueError("no"), "100% failed: %s")

    first, count = caplog.records
    assert (first.name, first.levelno, count.levelno) == ("unlost", logging.ERROR, logging.WARNING)
    assert first.getMessage().startswith("100% failed: %s")
    assert "ValueError: no" in first.getMessage()
    assert (count.unlost_repeats, count.unlost_fingerprint) == (2, first.unlost_fingerprint)
    assert first.exc_info is None


def test_a_task_that_may_still_be_asked_is_no_error_yet(caplog):
    with Sinks([Logging()]) as sinks:
        sinks.found(Notice(DIED, "task 'feed' died 10 s ago"))

    [record] = caplog.records
    assert (record.levelno, record.unlost_verdict) == (logging.WARNING, "died unasked")


def test_a_file_has_a_line_for_each_report(tmp_path):
    path = tmp_path / "errors.jsonl"

    with Sinks([JsonLines(path)]) as sinks:
        sinks(ValueError("1\u2028\n"), "first")
        sinks(KeyError("2"), "second")

    assert [line["what"] for line in lines(path)] == ["first", "second"]
    assert lines(path)[0]["error"]["message"] == "1\u2028\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "errors.jsonl"

    with Sinks([JsonLines(path)]) as sinks:
        sinks(ValueError(), "first")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_file_is_made_where_there_is_nothing_to_say(tmp_path):
    path = tmp_path / "errors.jsonl"

    with Sinks([JsonLines(path)]):
        pass

    assert not path.exists()


def test_what_was_there_stays(tmp_path):
    path = tmp_path / "errors.jsonl"
    path.write_text('{"old": 1}\n')

    with Sinks([JsonLines(path)]) as sinks:
        sinks(ValueError(), "first")

    assert [len(line) > 1 for line in lines(path)] == [False, True]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not move open files")
def test_a_file_that_is_moved_away_is_begun_anew(tmp_path):
    path = tmp_path / "errors.jsonl"

    with Sinks([JsonLines(path)]) as sinks:
        sinks(ValueError(), "first")
        path.rename(tmp_path / "errors.jsonl.1")
        sinks(KeyError(), "second")

    assert [line["what"] for line in lines(path)] == ["second"]
    assert [line["what"] for line in lines(tmp_path / "errors.jsonl.1")] == ["first"]


def test_a_full_file_ends_and_the_other_sinks_are_told(tmp_path):
    path = tmp_path / "errors.jsonl"
    kept = Kept()

    with Sinks([JsonLines(path, most=4000), kept], most=100) as sinks:
        for number in range(20):
            sinks(ValueError("a" * number), f"number {number}")

    assert path.stat().st_size <= 4000
    assert lines(path)
    assert sum("sink JsonLines failed" in what for what in kept.told) == 1
    assert sum("number" in what for what in kept.told) == 20


def test_a_torn_line_does_not_spoil_the_next(tmp_path, monkeypatch):
    path = tmp_path / "errors.jsonl"
    whole = os.write
    sink = JsonLines(path)
    report = report_of(ValueError(), "failed")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, data: whole(file, data[:10]))
        with pytest.raises(OSError, match="a part of a line"):
            sink.emit(report)
    sink.emit(report)
    sink.close()

    torn, complete = path.read_text("utf-8").splitlines()
    assert len(torn) == 10
    assert json.loads(complete)["what"] == "failed"


def test_a_file_in_no_folder_is_refused_at_once(tmp_path):
    with pytest.raises(UsageError, match="There is no folder"):
        JsonLines(tmp_path / "missing" / "errors.jsonl")


def test_sinks_are_chosen_by_name(tmp_path):
    kept = Kept()

    chosen = sinks_of(["stderr", "logging", f"jsonl:{tmp_path / 'e.jsonl'}", kept])

    assert [type(sink) for sink in chosen] == [StandardError, Logging, JsonLines, Kept]


@pytest.mark.parametrize("wrong", ["syslog", print, Kept])
def test_what_is_no_sink_is_refused(wrong):
    with pytest.raises(UsageError, match="sink"):
        sinks_of([wrong])


@pytest.mark.parametrize(("name", "package"), [("otel", "opentelemetry"), ("sentry", "sentry_sdk")])
def test_a_missing_extra_is_answered_with_the_line_that_installs_it(name, package):
    script = f"""
import sys
sys.modules[{package!r}] = None
from unlost.observe.sinks import sinks_of
sinks_of([{name!r}])
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert f"Write: pip install 'unlost[{name}]'" in done.stderr


def test_neither_unlost_nor_the_sinks_load_what_needs_an_extra():
    script = """
import sys
import unlost
assert not any(name.startswith("unlost.observe") for name in sys.modules)
import unlost.observe.sinks
print([name for name in ("opentelemetry", "sentry_sdk") if name in sys.modules])
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
