"""OpenTelemetry's own SDK takes what we emit."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider

from support.sinks import raised
from unlost.observe.sinks import Sinks
from unlost.observe.sinks._otel import OpenTelemetry
from unlost.observe.watch import ErrorType, Finding, Origin, Site, Verdict

SITE = Site("/app/jobs.py", 7, "work", True, "jobs")


@pytest.fixture
def exporter():
    return InMemoryLogRecordExporter()


@pytest.fixture
def provider(exporter):
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    yield provider
    provider.shutdown()


def records(exporter):
    return [one.log_record for one in exporter.get_finished_logs()]


def test_an_error_is_a_log_record_by_the_semantic_conventions(exporter, provider):
    with Sinks([OpenTelemetry(provider)]) as sinks:
        sinks(raised(ValueError("password=hunter2")), "the job failed")

    [record] = records(exporter)
    assert (record.body, record.severity_text, record.event_name) == ("the job failed", "ERROR", "exception")
    assert record.attributes["exception.type"] == "ValueError"
    assert record.attributes["exception.message"] == "password=***"
    assert "in raised" in record.attributes["exception.stacktrace"]
    assert "hunter2" not in str(record.attributes)
    assert record.attributes["unlost.verdict"] == "reported"
    assert len(record.attributes["unlost.fingerprint"]) == 64


def test_what_the_observer_found_says_where_it_ended(exporter, provider):
    finding = Finding(
        Verdict.SWALLOWED, ErrorType("jobs", "Odd"), "no", (SITE,), SITE, "gather", Origin("Task-3"), at=5.5
    )

    with Sinks([OpenTelemetry(provider)]) as sinks:
        sinks.found(finding)

    [record] = records(exporter)
    assert record.timestamp == 5_500_000_000
    assert {name: value for name, value in record.attributes.items() if name.startswith(("code.", "exception.t"))} == {
        "code.file.path": "/app/jobs.py",
        "code.line.number": 7,
        "code.function.name": "work",
        "exception.type": "jobs.Odd",
    }
    assert (record.attributes["unlost.task"], record.attributes["unlost.by"]) == ("Task-3", "gather")


def test_a_count_is_a_warning(exporter, provider):
    with Sinks([OpenTelemetry(provider)]) as sinks:
        for _ in range(3):
            sinks(ValueError("no"), "failed")

    _, count = records(exporter)
    assert (count.severity_text, count.attributes["unlost.repeats"]) == ("WARN", 2)
    assert "exception.stacktrace" not in count.attributes


def test_a_record_belongs_to_the_trace_of_the_code_that_reported(exporter, provider):
    tracers = TracerProvider(shutdown_on_exit=False)

    with Sinks([OpenTelemetry(provider)]) as sinks, tracers.get_tracer("test").start_as_current_span("job") as span:
        sinks(ValueError(), "failed")
    tracers.shutdown()

    [record] = records(exporter)
    assert (record.trace_id, record.span_id) == (span.get_span_context().trace_id, span.get_span_context().span_id)


def test_a_provider_that_was_not_set_is_a_failing_sink():
    script = """
from unlost.observe.sinks import Sinks, sinks_of
with Sinks(sinks_of(["otel"])) as sinks:
    sinks(ValueError("precious"), "failed")
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "ValueError: precious" in done.stderr
    assert "Write set_logger_provider(...) first." in done.stderr
